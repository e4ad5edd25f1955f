import assert from 'node:assert/strict';
import test from 'node:test';
import { createBody } from '../engine/api/create.ts';
import type { CreateContainerBody, HostConfig } from '../engine/api/wire.ts';
import {
  allowedLimits,
  allowedNetwork,
  allowedPort,
  assertConfined,
  defaultPolicy,
  defaults,
} from './policy.ts';

const safe = createBody('busybox', [], {
  capDrop: ['ALL'],
  securityOpt: ['no-new-privileges'],
  pidsLimit: defaults.pids,
  memory: defaults.memory,
  cpus: defaults.cpus,
});

test('a body made with the safe defaults passes', () => assertConfined(safe));

for (const [what, change] of [
  ['privileged', { Privileged: true }],
  ['a bind', { Binds: ['/:/host'] }],
  ['the network of the host', { NetworkMode: 'host' }],
  ["another container's network", { NetworkMode: 'container:x' }],
  ['a network namespace by path', { NetworkMode: 'ns:/proc/1/ns/net' }],
  ['an added capability', { CapAdd: ['SYS_ADMIN'] }],
  ['capabilities that were not dropped', { CapDrop: [] }],
  ['new privileges', { SecurityOpt: [] }],
  ['no seccomp', { SecurityOpt: ['no-new-privileges', 'seccomp=unconfined'] }],
  ['memory without a limit', { Memory: 0 }],
  ['processes without a limit', { PidsLimit: -1 }],
  ['a process namespace', { PidMode: 'host' }],
  ['an IPC namespace', { IpcMode: 'host' }],
  ['a user namespace', { UsernsMode: 'host' }],
  ['a host name namespace', { UTSMode: 'host' }],
  ['a cgroup namespace', { CgroupnsMode: 'host' }],
  ['devices', { Devices: [{ PathOnHost: '/dev/kmsg' }] }],
  ['mounts', { Mounts: [{ Type: 'bind', Source: '/', Target: '/host' }] }],
  [
    'a volume that is made as a directory of the host',
    {
      Mounts: [
        {
          Type: 'volume',
          Source: 'v',
          Target: '/v',
          VolumeOptions: { DriverConfig: { Name: 'local', Options: { o: 'bind' } } },
        },
      ],
    },
  ],
  [
    'a volume among what is no volume',
    {
      Mounts: [
        { Type: 'volume', Source: 'v', Target: '/v' },
        { Type: 'bind', Source: '/', Target: '/host' },
      ],
    },
  ],
  ["another container's volumes", { VolumesFrom: ['x'] }],
  ['nothing of /proc hidden', { MaskedPaths: [] }],
  ['nothing of /proc read-only', { ReadonlyPaths: [] }],
  ['sysctls', { Sysctls: { 'net.ipv4.ip_forward': '1' } }],
  ['a cgroup of its choice', { CgroupParent: '/' }],
  ['a place in the order of killing', { OomScoreAdj: -500 }],
  ['a restart policy', { RestartPolicy: { Name: 'always' } }],
  ['ports of all addresses', { PortBindings: { '80/tcp': [{ HostIp: '', HostPort: '80' }] } }],
  ['ports of IPv6', { PortBindings: { '80/tcp': [{ HostIp: '::', HostPort: '80' }] } }],
  ['all ports published', { PublishAllPorts: true }],
  ['a link to another container', { Links: ['db:db'] }],
] as const satisfies readonly (readonly [string, Partial<HostConfig>])[]) {
  test(`a body with ${what} is refused`, () => {
    const body: CreateContainerBody = { ...safe, HostConfig: { ...safe.HostConfig, ...change } };
    assert.throws(() => assertConfined(body), { code: 'forbidden' });
  });
}

test('networks are the engine’s own, by name', () => {
  for (const name of ['bridge', 'none', 'default', 'my_net-1.0', 'hosted'])
    assert.equal(allowedNetwork(name), name);
  for (const name of ['host', 'container:web', 'ns:/proc/1/ns/net', '../x', '', 'a b', 'Host:x']) {
    assert.throws(() => allowedNetwork(name), { code: 'forbidden' }, name);
  }
});

test('ports are those of the loopback', () => {
  for (const [asked, given] of [
    ['80', '127.0.0.1::80'],
    ['8080:80', '127.0.0.1:8080:80'],
    [':80/udp', '127.0.0.1::80/udp'],
    ['127.0.0.1:8080:80', '127.0.0.1:8080:80'],
    ['127.0.0.1::80', '127.0.0.1::80'],
    ['8000-8010:80', '127.0.0.1:8000-8010:80'],
  ] as const)
    assert.equal(allowedPort(asked), given);
  for (const port of [
    '0.0.0.0:80:80',
    '[::]:80:80',
    ':::80',
    'published=80,target=80',
    '127.0.0.1',
    '',
    ' 80',
  ])
    assert.throws(() => allowedPort(port), { code: 'forbidden' }, port);
});

test('limits are there when nobody asks, and more than the operator allows is refused', () => {
  assert.deepEqual(allowedLimits(defaultPolicy, {}), { memory: 512 * 2 ** 20, cpus: 1 });
  assert.deepEqual(allowedLimits(defaultPolicy, { memory: 2 ** 30, cpus: 2 }), { memory: 2 ** 30, cpus: 2 });
  assert.deepEqual(allowedLimits({ ...defaultPolicy, maxMemory: 2 ** 28, maxCpus: 0.5 }, {}), {
    memory: 2 ** 28,
    cpus: 0.5,
  });
  assert.throws(() => allowedLimits(defaultPolicy, { memory: 3 * 2 ** 30 }), {
    code: 'forbidden',
    hint: /--max-memory/,
  });
  assert.throws(() => allowedLimits(defaultPolicy, { cpus: 3 }), { code: 'forbidden', hint: /--max-cpus/ });
});
