import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { relative } from 'node:path';
import { type Behaviours, containerOf, print } from './given.ts';

const name = () => `cli-${Math.random().toString(36).slice(2, 10)}`;

/** Volumes, and what else is mounted. */
export const storing: Behaviours = {
  'volume create takes options; a volume in memory is mounted as they say': async (given) => {
    const options = [
      '-o',
      'type=tmpfs',
      '-o',
      'device=tmpfs',
      '-o',
      'o=size=64k,mode=1770',
      '--label',
      'a=b',
    ];
    const volume = name();
    assert.equal(await print(given, 'volume', 'create', ...options, volume), `${volume}\n`);
    try {
      const script = "grep ' /data ' /proc/mounts; stat -c %a /data";
      const said = await print(given, 'run', '--rm', '-v', `${volume}:/data`, 'busybox', 'sh', '-c', script);
      assert.match(said, /^tmpfs \/data tmpfs rw,.*size=64k,mode=1770.*\n1770\n$/);
      await using user = await containerOf(given, { flags: ['-v', `${volume}:/data`] });
      const held = await given.berth.run(['volume', 'rm', volume], { host: given.host });
      assert.deepEqual([held.code, held.stdout], [1, '']);
      assert.match(held.stderr, new RegExp(`volume is in use - \\[${user.id}\\]`));
    } finally {
      await print(given, 'volume', 'rm', volume);
    }
    const gone = await given.berth.run(['volume', 'inspect', volume], { host: given.host });
    assert.deepEqual([gone.code, gone.stdout], [1, '[]\n']);
    assert.equal(await print(given, 'volume', 'rm', '-f', volume), `${volume}\n`);
  },

  'volume inspect tells what a volume takes, and how many have it, where that is asked': async (given) => {
    const volume = name();
    await print(given, 'volume', 'create', volume);
    try {
      await using _user = await containerOf(given, { flags: ['-v', `${volume}:/data`] });
      const script = 'head -c 5000 /dev/zero > /data/file';
      await print(given, 'run', '--rm', '-v', `${volume}:/data`, 'busybox', 'sh', '-c', script);
      const format = '{{.Name}} {{.UsageData.Size}} {{.UsageData.RefCount}}';
      const said = await print(given, 'volume', 'inspect', '--size', '-f', format, volume);
      assert.equal(said, `${volume} 5000 1\n`);
    } finally {
      await print(given, 'volume', 'rm', volume);
    }
  },

  'volumes without a name go with run --rm, and with rm -v': async (given) => {
    const { berth, host } = given;
    const anonymous = async (container: string) =>
      (await print(given, 'inspect', '-f', '{{range .Mounts}}{{.Name}} {{end}}', container))
        .trim()
        .split(' ');
    const known = async () => (await print(given, 'volume', 'ls', '-q')).split('\n');
    const container = name();
    await print(
      given,
      'run',
      '--name',
      container,
      '-v',
      '/a',
      '--mount',
      'type=volume,dst=/b',
      'busybox',
      'true',
    );
    const made = await anonymous(container);
    assert.equal(made.length, 2);
    for (const volume of made) assert.ok((await known()).includes(volume));
    await print(given, 'rm', '-v', container);
    for (const volume of made) assert.ok(!(await known()).includes(volume));
    const short = await berth.run(['run', '--rm', '-v', '/a', 'busybox', 'cat', '/proc/mounts'], { host });
    const [, path = ''] = / (\S*\/volumes\/[0-9a-f]{64}\/_data) /.exec(short.stdout) ?? [];
    assert.match(short.stdout, / \/a /);
    assert.ok(path === '' || !existsSync(path));
  },

  'a mount says what driver, options and labels its volume is made with': async (given) => {
    const [volume, container] = [name(), name()];
    const mount = `type=volume,src=${volume},dst=/data,volume-nocopy,volume-label=a=b,volume-driver=local,volume-opt=type=tmpfs,volume-opt=device=tmpfs,"volume-opt=o=size=1m,mode=700"`;
    await print(given, 'create', '--name', container, '--mount', mount, 'busybox');
    try {
      assert.equal(
        await print(given, 'volume', 'inspect', '-f', '{{json .Labels}} {{.Options.o}}', volume),
        '{"a":"b"} size=1m,mode=700\n',
      );
    } finally {
      await print(given, 'rm', container);
      await print(given, 'volume', 'rm', volume);
    }
  },

  'a directory of the host that is not there is refused for --mount, and made for -v': async (given) => {
    const { berth, host } = given;
    const [missing, made] = [berth.join(name()), berth.join(name())];
    const mount = ['run', '--rm', '--mount', `type=bind,src=${missing},dst=/data`, 'busybox', 'true'];
    const refused = await berth.run(mount, { host });
    assert.deepEqual([refused.code, refused.stdout], [125, '']);
    assert.match(refused.stderr, /bind source path does not exist: /);
    assert.ok(!existsSync(missing));
    await print(given, 'run', '--rm', '-v', `${made}:/data`, 'busybox', 'touch', '/data/file');
    assert.ok(existsSync(`${made}/file`));
    // From where one stands.
    const here = relative(process.cwd(), made);
    for (const flags of [
      ['-v', `${here}:/data:ro`],
      ['--mount', `type=bind,src=${here},dst=/data`],
    ])
      assert.equal(await print(given, 'run', '--rm', ...flags, 'busybox', 'ls', '/data'), 'file\n');
  },

  'a directory in memory has the size and the mode that were asked for': async (given) => {
    const script = "grep ' /data ' /proc/mounts; stat -c %a /data";
    for (const flags of [
      ['--mount', 'type=tmpfs,dst=/data,tmpfs-size=64k,tmpfs-mode=1770'],
      ['--tmpfs', '/data:size=64k,mode=1770'],
    ])
      assert.match(
        await print(given, 'run', '--rm', ...flags, 'busybox', 'sh', '-c', script),
        /^tmpfs \/data tmpfs rw,nosuid,nodev,noexec,.*size=64k,mode=1770\b.*\n1770\n$/,
      );
  },

  'a driver of volumes that is not there is refused by name': async (given) => {
    // dockerd looks for a plugin for a quarter of a minute.
    if (given.engine !== 'berth') return;
    const { berth, host } = given;
    for (const args of [
      ['volume', 'create', '-d', 'moon', name()],
      ['create', '--volume-driver', 'moon', '-v', `${name()}:/data`, 'busybox'],
      ['create', '--mount', `type=volume,src=${name()},dst=/data,volume-driver=moon`, 'busybox'],
    ]) {
      const refused = await berth.run(args, { host });
      assert.notEqual(refused.code, 0);
      assert.equal(refused.stdout, '');
      assert.match(refused.stderr, /volume driver "moon" not found: this engine runs no volume plugins/);
    }
    assert.equal(await print(given, 'volume', 'ls', '-q', '--filter', 'name=moon'), '');
  },

  'volume prune takes those without a name, and -a all that no container has': async (given) => {
    const label = name();
    const volume = name();
    await print(given, 'volume', 'create', '--label', label, volume);
    const unnamed = (await print(given, 'volume', 'create', '--label', label)).trim();
    assert.match(unnamed, /^[0-9a-f]{64}$/);
    const prune = (...flags: readonly string[]) =>
      print(given, 'volume', 'prune', '-f', ...flags, '--filter', `label=${label}`);
    const gone = (which: string) => `Deleted Volumes:\n${which}\n\nTotal reclaimed space: 0B\n`;
    // Before API 1.42 a prune takes all of them.
    if (given.engine === 'berth') assert.equal(await prune(), gone(unnamed));
    else await print(given, 'volume', 'rm', unnamed);
    if (given.engine === 'berth') assert.equal(await prune('-a'), gone(volume));
    else assert.equal(await prune(), gone(volume));
    assert.equal(await prune(), 'Total reclaimed space: 0B\n');
  },
};
