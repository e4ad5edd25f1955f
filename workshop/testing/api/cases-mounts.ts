import assert from 'node:assert/strict';
import type { Case } from './case.ts';
import { make, refusal, said, uniqueName } from './containers.ts';
import { ask, differs, type Loose } from './wire.ts';

// A directory that both engines see, the one in namespaces of its own too, and nobody writes to.
const SOURCE = '/usr/share';

/** What is mounted into a container. */
export const mountCases: Readonly<Record<string, Case>> = {
  'binds and mounts come back from inspect': async (subject) => {
    const Mounts = [
      { Type: 'bind', Source: SOURCE, Target: '/m1', ReadOnly: true },
      { Type: 'tmpfs', Target: '/m2', TmpfsOptions: { SizeBytes: 65_536, Mode: 0o700 } },
      { Type: 'bind', Source: SOURCE, Target: '/m3', BindOptions: { NonRecursive: true } },
    ];
    const Binds = [`${SOURCE}:/b1`, `${SOURCE}:/b2:ro,rslave`, `${SOURCE}:/b3:z`];
    const Tmpfs = { '/t1': 'size=1m' };
    await using made = await make(subject, ['true'], { HostConfig: { Binds, Mounts, Tmpfs } });
    const container = await made.inspect();
    const { HostConfig } = container;
    assert.deepEqual([HostConfig.Binds, HostConfig.Mounts, HostConfig.Tmpfs], [Binds, Mounts, Tmpfs]);
    const bind = (Destination: string, more: object = {}) => ({
      Type: 'bind',
      Source: SOURCE,
      Destination,
      Mode: '',
      RW: true,
      Propagation: 'rprivate',
      ...more,
    });
    assert.deepEqual(
      container.Mounts.toSorted((a: Loose, b: Loose) => (a.Destination < b.Destination ? -1 : 1)),
      [
        bind('/b1'),
        bind('/b2', { Mode: 'ro,rslave', RW: false, Propagation: 'rslave' }),
        bind('/b3', { Mode: 'z' }),
        bind('/m1', { RW: false }),
        { Type: 'tmpfs', Source: '', Destination: '/m2', Mode: '', RW: true, Propagation: '' },
        bind('/m3'),
      ],
    );
  },
  'mounts are checked as dockerd does': async (subject) => {
    const bind = (more: object) => ({ Mounts: [{ Type: 'bind', Source: SOURCE, Target: '/x', ...more }] });
    const wrong: readonly [object, RegExp][] = [
      [bind({ Source: '/no/such' }), /"bind": bind source path does not exist: \/no\/such/],
      [bind({ Source: '' }), /"bind": field Source must not be empty/],
      [bind({ Source: 'here' }), /"bind": invalid mount path: 'here' mount path must be absolute/],
      [bind({ Target: '' }), /"bind": field Target must not be empty/],
      [bind({ Target: '/' }), /"bind": invalid specification: destination can't be '\/'/],
      [bind({ BindOptions: { Propagation: 'moon' } }), /"bind": invalid propagation mode: moon/],
      [{ Mounts: [{ Type: 'moon', Target: '/x' }] }, /"moon": mount type unknown/],
      [{ Mounts: [{ Type: 'tmpfs', Source: '/x', Target: '/x' }] }, /"tmpfs": field Source must not be/],
      [{ Mounts: [0, 1].map(() => ({ Type: 'tmpfs', Target: '/x' })) }, /Duplicate mount point: \/x/],
      [{ Binds: [`${SOURCE}:/x`], Tmpfs: { '/x': '' } }, /Duplicate mount point: \/x/],
      [{ Tmpfs: { relative: '' } }, /invalid mount path: 'relative' mount path must be absolute/],
      [{ VolumesFrom: ['nobody'] }, /No such container: nobody/],
    ];
    for (const [HostConfig, words] of wrong) {
      const { status, message } = await refusal(subject, { HostConfig });
      assert.equal(status, 400, JSON.stringify(HostConfig));
      assert.match(message, words);
    }
    for (const mode of ['moon', 'ro,rw', 'ro,ro', 'shared,slave']) {
      const { status, message } = await refusal(subject, { HostConfig: { Binds: [`${SOURCE}:/x:${mode}`] } });
      assert.equal(
        status,
        differs(subject, { berth: 400, dockerd: 500, because: 'dockerd 20.10 calls a wrong mode internal' }),
      );
      assert.match(message, /invalid mode/);
    }
  },
  'mounts are seen inside, read-only where that was asked': async (subject) => {
    const lines = await said(
      subject,
      `grep -E ' /(b1|m1|t1|t2) ' /proc/mounts | awk '{ print $2, $3, $4 }' | sort
       touch /b1/x 2>&1; touch /etc/hosts /x 2>&1; ls -ld /t2 | cut -c 1-10; touch /t1/x && echo tmpfs`,
      {
        HostConfig: {
          ReadonlyRootfs: true,
          Binds: [`${SOURCE}:/b1:ro`],
          Tmpfs: { '/t1': 'rw,size=1m,exec' },
          Mounts: [
            { Type: 'bind', Source: SOURCE, Target: '/m1', ReadOnly: true },
            { Type: 'tmpfs', Target: '/t2', TmpfsOptions: { SizeBytes: 65_536, Mode: 0o700 } },
          ],
        },
      },
    );
    const [b1 = '', m1 = '', t1 = '', t2 = '', ...rest] = lines;
    assert.match(b1, /^\/b1 \w+ ro,/);
    assert.match(m1, /^\/m1 \w+ ro,/);
    assert.match(t1, /^\/t1 tmpfs rw,nosuid,nodev,(?!noexec).*size=1024k/);
    assert.match(t2, /^\/t2 tmpfs rw,nosuid,nodev,noexec,.*size=64k,mode=700/);
    const readOnly = 'Read-only file system';
    assert.deepEqual(rest, [
      `touch: /b1/x: ${readOnly}`,
      `touch: /etc/hosts: ${readOnly}`,
      `touch: /x: ${readOnly}`,
      'drwx------',
      'tmpfs',
    ]);
  },
  'a file is mounted as a directory is, over one that is there and where none is': async (subject) => {
    const file = '/usr/lib/os-release';
    const read = (...paths: readonly string[]) =>
      paths.map((path) => `grep -c ^PRETTY_NAME= ${path}`).join('; ');
    const closed = "2>&1 | sed 's/.*: //'";
    const lines = await said(
      subject,
      `${read('/etc/group', '/new/b', '/m', '/w')}; touch /etc/group ${closed}; touch /m ${closed}`,
      {
        HostConfig: {
          Binds: [`${file}:/etc/group:ro`, `${file}:/new/b:ro`, `${file}:/w`],
          Mounts: [{ Type: 'bind', Source: file, Target: '/m', ReadOnly: true }],
        },
      },
    );
    const readOnly = 'Read-only file system';
    assert.deepEqual(lines, ['1', '1', '1', '1', readOnly, readOnly]);
  },
  'another container’s binds are mounted too, its own in their place': async (subject) => {
    const name = uniqueName();
    const created = await ask(subject, `POST /v1.41/containers/create?name=${name}`, {
      body: {
        Image: 'busybox',
        HostConfig: { Binds: [`${SOURCE}:/shared`, `${SOURCE}:/own`] },
      },
    });
    const { Id } = created.json();
    await using made = await make(subject, ['true'], {
      HostConfig: { VolumesFrom: [`${name}:ro`], Binds: ['/usr:/own'] },
    });
    const { Mounts, HostConfig } = await made.inspect();
    // The mounts are its own from now on.
    assert.equal((await ask(subject, `DELETE /v1.41/containers/${Id}`)).status, 204);
    const seen = Object.fromEntries(Mounts.map((m: Loose) => [m.Destination, [m.Source, m.RW]]));
    assert.deepEqual(seen, { '/shared': [SOURCE, false], '/own': ['/usr', true] });
    assert.deepEqual(HostConfig.VolumesFrom, [`${name}:ro`]);
    await made.start();
    assert.equal(await made.ended(), 0);
  },
  'a mount below a private one can not be shared': async (subject) => {
    await using made = await make(subject, ['true'], { HostConfig: { Binds: ['/proc/sys:/x:shared'] } });
    const { status, json } = await ask(subject, `POST /v1.41/containers/${made.id}/start`);
    if (status === 204) return;
    assert.match(json().message, /path \/proc\/sys is mounted on .* but it is not a shared mount/);
  },
  'devices of the host are there, and can be used as far as was said': async (subject) => {
    const opens = (path: string) => `(: ${path} && echo opened) 2>&1 | sed 's/.*: //'`;
    const lines = await said(
      subject,
      `for d in /dev/reader /dev/tree/tun; do stat -c '%n %t:%T' $d; done
       ${opens('</dev/reader')}; ${opens('>>/dev/reader')}
       mknod /tmp/loop b 7 0; mknod /tmp/disk b 9 0; ${opens('</tmp/loop')}; ${opens('</tmp/disk')}`,
      {
        HostConfig: {
          Devices: [
            { PathOnHost: '/dev/fuse', PathInContainer: '/dev/reader', CgroupPermissions: 'r' },
            { PathOnHost: '/dev/net', PathInContainer: '/dev/tree', CgroupPermissions: 'rwm' },
          ],
          DeviceCgroupRules: ['b 7:* rwm'],
        },
      },
    );
    const denied = 'Operation not permitted';
    assert.deepEqual(lines, ['/dev/reader a:e5', '/dev/tree/tun a:c8', 'opened', denied, 'opened', denied]);
  },
  'a device that is not there fails the start': async (subject) => {
    const Devices = [{ PathOnHost: '/dev/no-such', PathInContainer: '/dev/x', CgroupPermissions: 'rwm' }];
    await using made = await make(subject, ['true'], { HostConfig: { Devices } });
    const { status, json } = await ask(subject, `POST /v1.41/containers/${made.id}/start`);
    assert.ok(status >= 400, String(status));
    assert.match(
      json().message,
      /error gathering device information while adding custom device "\/dev\/no-such": no such file or directory/,
    );
  },
};
