import assert from 'node:assert/strict';
import test from 'node:test';
import { BerthError } from '../api/errors.ts';
import { checkOptions, mountRequest, withAddress } from './options.ts';

/** What mount(2) is asked for. Not every kernel that tests run on has NFS: its side of the call is held here. */
const requested = async (options: Readonly<Record<string, string>>) =>
  mountRequest(await withAddress(checkOptions(options)));

test('a volume of NFS is asked of the kernel with the address of its machine, and what is mount(8)’s alone is left out', async () => {
  const nfs = { type: 'nfs', device: ':/export' };
  assert.deepEqual(await requested({ ...nfs, o: 'addr=10.0.0.2,rw,nfsvers=4,soft,_netdev,noatime' }), {
    source: ':/export',
    type: 'nfs',
    flags: ['noatime'],
    data: 'nfsvers=4,soft,addr=10.0.0.2',
  });
  assert.deepEqual(await requested({ ...nfs, type: 'nfs4', o: 'ro,addr=fd00::2' }), {
    source: ':/export',
    type: 'nfs4',
    flags: ['ro'],
    data: 'addr=fd00::2',
  });
  // A name, wherever it stands; mount(2) takes none.
  const local = /^(?:vers=3,)?addr=(?:127\.0\.0\.1|::1)$/;
  assert.match((await requested({ ...nfs, o: 'addr=localhost,vers=3' })).data, local);
  assert.match((await requested({ type: 'nfs', device: 'localhost:/export', o: 'vers=3' })).data, local);
  assert.equal(
    (await requested({ type: 'nfs', device: '[fd00::2]:/x', o: 'hard' })).data,
    'hard,addr=fd00::2',
  );
  assert.equal(
    (await requested({ type: 'nfs', device: 'elsewhere:/x', o: 'addr=10.0.0.2' })).data,
    'addr=10.0.0.2',
  );
  const smb = { type: 'cifs', device: '//nas/share', o: 'addr=10.0.0.2,username=u,vers=3.0' };
  assert.equal((await requested(smb)).data, 'username=u,vers=3.0,addr=10.0.0.2');
});

test('a directory is bound, and memory is mounted, with the flags that their options mean', async () => {
  const bound = { type: 'none', device: '/srv/data' };
  assert.deepEqual(await requested({ ...bound, o: 'rbind,ro,nosuid,suid' }), {
    source: '/srv/data',
    type: undefined,
    flags: ['bind', 'rec', 'ro'],
    data: '',
  });
  assert.deepEqual(await requested({ type: 'tmpfs', device: 'tmpfs', o: 'size=1m,mode=1777,noexec' }), {
    source: 'tmpfs',
    type: 'tmpfs',
    flags: ['noexec'],
    data: 'size=1m,mode=1777',
  });
});

test('options that can’t be are refused with their value and a way out', async () => {
  const refusals: readonly [Readonly<Record<string, string>>, RegExp, RegExp][] = [
    [{ colour: 'red' }, /^invalid option: "colour" \(colour=red\)$/, /-o o=colour=red/],
    [{ size: '10g' }, /size=10g is not supported: a directory has no quota/, /type=tmpfs .* o=size=100m/],
    [{ type: 'tmpfs' }, /^missing required option: "device"$/, /type=tmpfs needs device .*device=tmpfs/],
    [{ type: 'nfs', o: 'ro' }, /^missing required option: "device"$/, /-o type=nfs -o device=:\/export/],
    [{ device: '/srv' }, /^missing required option: "type"$/, /device=\/srv needs type .*o=bind/],
    [{ type: 'nfs', device: ':/export' }, /:\/export is on no machine/, /o=addr=10\.0\.0\.2/],
    [
      { type: 'nfs', device: ':/x', o: 'addr=nowhere.invalid' },
      /failed to mount local volume: nowhere\.invalid: E/,
      /write the address/,
    ],
  ];
  for (const [options, message, hint] of refusals)
    await assert.rejects(requested(options), (error) => {
      assert.ok(error instanceof BerthError);
      assert.match(error.message, message);
      assert.match(error.hint ?? '', hint);
      return true;
    });
});
