import assert from 'node:assert/strict';
import test from 'node:test';
import { execa } from 'execa';
import { createBody } from '../engine/api/create.ts';
import { flagName } from '../engine/api/fields.ts';
import { command as create } from './commands/create.ts';
import { command as run } from './commands/run.ts';
import { command as update } from './commands/update.ts';
import { allFlags, parseTyped } from './parse.ts';

const cli = await execa('docker', ['--version'], { reject: false });
const skip = cli.failed ? 'docker is not installed' : false;

for (const [name, command] of Object.entries({ run, create, update })) {
  test(`${name} knows every flag that docker's has`, { skip }, async () => {
    const { stdout } = await execa('docker', [name, '--help']);
    const rows = [...stdout.matchAll(/^\s+(?:-(\w), )?\s*--([\w-]+)/gm)];
    assert.ok(rows.length > 10);
    const flags = Object.entries(allFlags(command.flags));
    const known = new Map(
      flags.flatMap(([key, flag]) =>
        [flagName(key), ...(flag.aliases ?? [])].map((long) => [long, flag] as const),
      ),
    );
    for (const [, short, long = ''] of rows) {
      assert.ok(known.has(long), `--${long}`);
      if (short !== undefined) assert.equal(known.get(long)?.short, short, `--${long}`);
    }
  });
}

function bodyOf(...typed: readonly string[]) {
  const { flags } = parseTyped([...typed, 'image'], create.flags, { name: 'create', argsEndFlags: true });
  return createBody('image', [], flags);
}

test('flags become what the Engine API has for them', () => {
  const host: readonly [readonly string[], object][] = [
    [['--restart', 'on-failure:3'], { RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 3 } }],
    [['--memory-swap', '-1'], { MemorySwap: -1 }],
    [['--memory-swap=1g'], { MemorySwap: 2 ** 30 }],
    [['-c', '512'], { CpuShares: 512 }],
    [['--device', '/dev/fuse'], { Devices: [device('/dev/fuse', '/dev/fuse', 'rwm')] }],
    [['--device', '/dev/fuse:rw'], { Devices: [device('/dev/fuse', '/dev/fuse', 'rw')] }],
    [['--device', '/dev/fuse:/dev/x:r'], { Devices: [device('/dev/fuse', '/dev/x', 'r')] }],
    [['--device-read-bps', '/dev/vda:1m'], { BlkioDeviceReadBps: [{ Path: '/dev/vda', Rate: 2 ** 20 }] }],
    [['--device-write-iops', '/dev/vda:10'], { BlkioDeviceWriteIOps: [{ Path: '/dev/vda', Rate: 10 }] }],
    [['--ulimit', 'nofile=10:20'], { Ulimits: [{ Name: 'nofile', Soft: 10, Hard: 20 }] }],
    [['--ulimit', 'core=-1'], { Ulimits: [{ Name: 'core', Soft: -1, Hard: -1 }] }],
    [['--sysctl', 'a.b=1', '--sysctl', 'c=2'], { Sysctls: { 'a.b': '1', c: '2' } }],
    [['--shm-size', '1m'], { ShmSize: 2 ** 20 }],
    [['--tmpfs', '/a', '--tmpfs', '/b:size=1m,exec'], { Tmpfs: { '/a': '', '/b': 'size=1m,exec' } }],
    [['-v', '/a:/b:ro'], { Binds: ['/a:/b:ro'] }],
    [['--log-opt', 'max-size=1m'], { LogConfig: { Type: '', Config: { 'max-size': '1m' } } }],
    [['--init'], { Init: true }],
    [['--security-opt', 'systempaths=unconfined'], { MaskedPaths: [], ReadonlyPaths: [], SecurityOpt: null }],
    [
      ['--mount', 'type=bind,src=/a,dst=/b,readonly,bind-propagation=rslave,bind-recursive=disabled'],
      {
        Mounts: [
          {
            Type: 'bind',
            Source: '/a',
            Target: '/b',
            ReadOnly: true,
            BindOptions: { Propagation: 'rslave', NonRecursive: true },
          },
        ],
      },
    ],
    [
      ['--mount', 'type=tmpfs,"destination=/a,b",tmpfs-size=64k,tmpfs-mode=1770'],
      {
        Mounts: [{ Type: 'tmpfs', Target: '/a,b', TmpfsOptions: { SizeBytes: 65_536, Mode: 0o1770 } }],
      },
    ],
  ];
  for (const [typed, expected] of host) {
    const body = bodyOf(...typed).HostConfig ?? {};
    const seen = Object.fromEntries(Object.keys(expected).map((name) => [name, body[name]]));
    assert.deepEqual(seen, expected, typed.join(' '));
  }
  const health = bodyOf('--health-cmd', 'true', '--health-interval=1m30s', '--health-retries=2').Healthcheck;
  assert.deepEqual(health, { Test: ['CMD-SHELL', 'true'], Interval: 90e9, Retries: 2 });
  assert.deepEqual(bodyOf('--no-healthcheck').Healthcheck, { Test: ['NONE'] });
  assert.deepEqual(bodyOf('--expose', '80-81', '--expose', '53/udp').ExposedPorts, {
    '80/tcp': {},
    '81/tcp': {},
    '53/udp': {},
  });
  const published: readonly [
    readonly string[],
    Record<string, readonly [address: string, port: string][]>,
  ][] = [
    [['8080:80'], { '80/tcp': [['', '8080']] }],
    [['80'], { '80/tcp': [['', '']] }],
    [['0:80'], { '80/tcp': [['', '0']] }],
    [['127.0.0.1::53/UDP'], { '53/udp': [['127.0.0.1', '']] }],
    [
      ['[::1]:81:80/sctp', ':80/sctp'],
      {
        '80/sctp': [
          ['::1', '81'],
          ['', ''],
        ],
      },
    ],
    [['8000-8001:80-81'], { '80/tcp': [['', '8000']], '81/tcp': [['', '8001']] }],
    [['10.0.0.1:8000-8010:80'], { '80/tcp': [['10.0.0.1', '8000-8010']] }],
    [['80-81'], { '80/tcp': [['', '']], '81/tcp': [['', '']] }],
    [['published=81,target=80,protocol=udp'], { '80/udp': [['', '81']] }],
  ];
  for (const [typed, bindings] of published) {
    const body = bodyOf(...typed.flatMap((each) => ['-p', each]));
    const expected = Object.entries(bindings).map(([port, of]) => [
      port,
      of.map(([HostIp, HostPort]) => ({ HostIp, HostPort })),
    ]);
    assert.deepEqual(body.HostConfig?.PortBindings, Object.fromEntries(expected), typed.join(' '));
    assert.deepEqual(Object.keys(body.ExposedPorts ?? {}), Object.keys(bindings));
  }
  assert.equal(bodyOf('-P').HostConfig?.PublishAllPorts, true);
  assert.deepEqual(bodyOf('-v', '/data').Volumes, { '/data': {} });
});

test('a value that a flag can not mean is refused with the value and what it takes', () => {
  const wrong: readonly [readonly string[], RegExp][] = [
    [['--restart', 'on-failure:x'], /'on-failure:x' for --restart: expected no, always/],
    [['--memory-swap', 'lots'], /'lots' for --memory-swap: expected a size/],
    [['--device', 'fuse'], /'fuse' for --device: expected \/dev\/HOST/],
    [['--device', '/dev/fuse:/dev/x:q'], /for --device/],
    [['--device-read-bps', '/dev/vda'], /'\/dev\/vda' for --device-read-bps: expected \/dev\/NAME:SIZE/],
    [['--ulimit', 'nofile'], /'nofile' for --ulimit/],
    [['--sysctl', 'x'], /'x' for --sysctl: expected NAME=VALUE/],
    [['--mount', 'type=bind,moon=1,target=/x'], /not 'moon'/],
    [['--mount', 'type=bind'], /a target/],
    [['--mount', 'target=/x,readonly=perhaps'], /true or false for readonly/],
    [['-p', '80:80:80:80'], /'80:80:80:80' for --publish: expected \[\[ADDRESS/],
    [['-p', '::1:80:80'], /for --publish/],
    [['-p', 'localhost:80:80'], /for --publish/],
    [['-p', '80:0'], /for --publish/],
    [['-p', '8000-8002:80-81'], /for --publish: expected as many ports of the host/],
    [['-p', 'target=80,moon=1'], /for --publish: expected published=PORT/],
    [['--expose', '99999'], /'99999' for --expose/],
    [['--health-interval', '5'], /'5' for --health-interval: expected a time/],
    [['--no-healthcheck', '--health-cmd', 'x'], /--no-healthcheck conflicts with --health/],
  ];
  for (const [typed, words] of wrong) assert.throws(() => bodyOf(...typed), words, typed.join(' '));
});

const device = (PathOnHost: string, PathInContainer: string, CgroupPermissions: string) => ({
  PathOnHost,
  PathInContainer,
  CgroupPermissions,
});
