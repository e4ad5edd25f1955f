import assert from 'node:assert/strict';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import test from 'node:test';
import { tempRoot } from '../../workshop/testing/temp.ts';
import { readInRoot, resolveInRoot } from '../host/rooted.ts';
import { chooseCapabilities } from './capabilities.ts';
import { detectCgroups } from './cgroups.ts';
import { startFailure } from './monitor.ts';
import { seccompFor } from './seccomp.ts';
import { resolveUser } from './users.ts';

const held = new Set(['CHOWN', 'KILL', 'NET_ADMIN', 'NET_RAW', 'SYS_ADMIN', 'MKNOD']);

test("a container gets docker's capabilities, cut to what the engine holds", () => {
  assert.deepEqual(chooseCapabilities({ held }), ['CAP_CHOWN', 'CAP_KILL', 'CAP_NET_RAW', 'CAP_MKNOD']);
});

test('capabilities are added and dropped by name, with ALL for all of them', () => {
  assert.deepEqual(chooseCapabilities({ held, drop: ['ALL'], add: ['net_admin'] }), ['CAP_NET_ADMIN']);
  assert.deepEqual(
    chooseCapabilities({ held, add: ['CAP_SYS_ADMIN'], drop: ['mknod'] }).includes('CAP_SYS_ADMIN'),
    true,
  );
  assert.equal(chooseCapabilities({ held, add: ['ALL'], drop: ['KILL'] }).includes('CAP_KILL'), false);
  assert.equal(chooseCapabilities({ held, privileged: true }).length, held.size);
  assert.throws(() => chooseCapabilities({ held, add: ['FLY'] }), /invalid capability 'FLY'/);
});

test('system calls that need a capability are allowed only with it', () => {
  const allowed = (capabilities: readonly string[]) =>
    new Set(
      seccompFor(capabilities)
        .syscalls.filter((rule) => rule.action === 'SCMP_ACT_ALLOW')
        .flatMap((rule) => rule.names),
    );
  assert.equal(allowed([]).has('settimeofday'), false);
  assert.equal(allowed(['CAP_SYS_TIME']).has('settimeofday'), true);
  assert.equal(allowed([]).has('read'), true);
});

test('the layout of cgroups is read off the mount table', () => {
  assert.equal(detectCgroups('cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n'), 'v2');
  assert.equal(
    detectCgroups('tmpfs /sys/fs/cgroup tmpfs rw 0 0\ncgroup /sys/fs/cgroup/cpu cgroup rw,cpu 0 0\n'),
    'v1',
  );
  assert.equal(
    detectCgroups('tmpfs /sys/fs/cgroup tmpfs rw 0 0\ncgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n'),
    'hybrid',
  );
});

async function tree(files: Readonly<Record<string, string>>) {
  const root = await tempRoot('tree');
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(root.join(path)), { recursive: true });
    await writeFile(root.join(path), text);
  }
  return root;
}

test('users and groups are found by name or number in the image', async () => {
  await using root = await tree({
    'etc/passwd': 'root:x:0:0:root:/root:/bin/sh\napp:x:1000:1001::/srv/app:/bin/sh\n',
    'etc/group': 'root:x:0:\napp:x:1001:\naudio:x:29:app,root\nweb:x:33:\n',
  });
  const find = (text: string) => resolveUser(root.path, text);
  assert.deepEqual(await find(''), { uid: 0, gid: 0, additionalGids: [29], home: '/root' });
  assert.deepEqual(await find('app'), { uid: 1000, gid: 1001, additionalGids: [29], home: '/srv/app' });
  assert.deepEqual(await find('1000'), { uid: 1000, gid: 1001, additionalGids: [29], home: '/srv/app' });
  assert.deepEqual(await find('4000'), { uid: 4000, gid: 0, additionalGids: [], home: '/' });
  assert.deepEqual(await find('app:web'), { uid: 1000, gid: 33, additionalGids: [], home: '/srv/app' });
  await assert.rejects(find('nobody'), /unable to find user nobody/);
  await assert.rejects(find('0:0:x'), /unable to find group 0:x/);
  await assert.rejects(find('app:none'), /unable to find group none/);
});

test('a link in the image never leads out of it', async () => {
  await using root = await tree({ 'real/file': 'inside' });
  await symlink('/etc/passwd', root.join('absolute'));
  await symlink('../../../../../../etc/passwd', root.join('climbing'));
  await symlink('/real', root.join('directory'));
  await symlink('loop', root.join('loop'));
  assert.equal(await resolveInRoot(root.path, 'absolute'), root.join('etc/passwd'));
  assert.equal(await resolveInRoot(root.path, 'climbing'), root.join('etc/passwd'));
  assert.equal(await readInRoot(root.path, '/absolute'), undefined);
  assert.equal(await readInRoot(root.path, '/directory/../directory/file'), 'inside');
  await assert.rejects(resolveInRoot(root.path, 'loop'), /too many levels of symbolic links/);
});

test("the runtime's words become errors from which a shell's 126 and 127 can be told", () => {
  const missing = startFailure(
    'nope',
    '[conmon:e]: crun: executable file `nope` not found in $PATH: No such file or directory',
  );
  assert.match(missing.message, /^exec: "nope": executable file not found in \$PATH$/);
  assert.equal(missing.code, 'invalid');
  assert.match(
    startFailure('/etc', 'open executable: Operation not permitted').message,
    /^exec: "\/etc": permission denied$/,
  );
  assert.equal(startFailure('x', 'write to cgroup: no space left').code, 'internal');
  assert.match(startFailure('x', '').message, /the runtime said nothing/);
});
