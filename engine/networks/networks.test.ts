import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import test from 'node:test';
import { promisify } from 'node:util';
import { tempRoot } from '../../workshop/testing/temp.ts';
import { openDatabase } from '../state/database.ts';
import { formatSubnet, overlaps, parseSubnet, sizeOf } from './addresses.ts';
import { removeBridge } from './bridge.ts';
import { createNamespace, removeNamespace } from './namespaces.ts';
import { openNetworks } from './networks.ts';

const run = promisify(execFile);

async function testNetworks(subnet: string) {
  const root = await tempRoot('net');
  const database = openDatabase(root.join('db'));
  const bridge = `bt-${randomBytes(4).toString('hex')}`;
  const networks = openNetworks(database, { bridge, subnet });
  return {
    root,
    bridge,
    networks,
    reopen: () => openNetworks(database, { bridge, subnet }),
    async [Symbol.asyncDispose]() {
      await removeBridge(bridge);
      database.close();
      await root[Symbol.asyncDispose]();
    },
  };
}

const inside = async (path: string, ...command: string[]) =>
  (await run('nsenter', [`--net=${path}`, ...command])).stdout;

test('subnets are read, written and compared', () => {
  assert.equal(formatSubnet(parseSubnet('10.1.2.3/8')), '10.0.0.0/8');
  assert.equal(sizeOf(parseSubnet('192.168.7.0/29')), 8);
  assert.equal(overlaps(parseSubnet('172.16.0.0/12'), parseSubnet('172.31.255.0/24')), true);
  assert.equal(overlaps(parseSubnet('172.16.0.0/12'), parseSubnet('172.32.0.0/16')), false);
  for (const wrong of ['', '10.0.0.0', '10.0.0.256/8', '10.0.0.0/33', 'x/8'])
    assert.throws(() => parseSubnet(wrong), /invalid subnet/);
});

test('two containers on the bridge reach each other and their gateway', async () => {
  await using fixture = await testNetworks('10.213.1.0/24');
  const { networks, root } = fixture;
  const [one, two] = [root.join('one'), root.join('two')];
  const first = await networks.connect({ containerId: 'a'.repeat(64), mode: 'bridge', path: one });
  const second = await networks.connect({ containerId: 'b'.repeat(64), mode: 'bridge', path: two });
  assert.notEqual(first.address, second.address);
  await inside(one, 'busybox', 'ping', '-c', '1', '-W', '5', second.address ?? '');
  await inside(two, 'busybox', 'ping', '-c', '1', '-W', '5', '10.213.1.1');
  const endpoint = networks.endpointsOf('a'.repeat(64), 'bridge').bridge;
  assert.equal(endpoint?.IPAddress, first.address);
  assert.equal(endpoint?.Gateway, '10.213.1.1');
  assert.match(await inside(one, 'ip', 'addr', 'show', 'eth0'), new RegExp(endpoint?.MacAddress ?? '-'));
  await networks.disconnect('a'.repeat(64), one);
  await networks.disconnect('b'.repeat(64), two);
  await networks.disconnect('b'.repeat(64), two);
  assert.equal(readFileSync('/proc/self/mounts', 'utf8').includes(root.path), false);
});

test('a container reaches another host, which sees the address of this host', async () => {
  await using fixture = await testNetworks('10.213.2.0/24');
  const { networks, root } = fixture;
  const path = root.join('one');
  await networks.connect({ containerId: 'c'.repeat(64), mode: 'bridge', path });
  // The other host knows no way back to the container's subnet: an answer comes only to this host's own address.
  await using outside = await otherHost(root.join('outside'), '10.214.2');
  await inside(path, 'busybox', 'ping', '-c', '1', '-W', '5', outside.address);
  await networks.disconnect('c'.repeat(64), path);
});

/** A network namespace that stands for another host, wired to this one. */
async function otherHost(path: string, prefix: string) {
  createNamespace(path, undefined);
  const name = `bo-${randomBytes(4).toString('hex')}`;
  const here = [
    `link add ${name} type veth peer name eth0 netns ${path}`,
    `addr add ${prefix}.1/24 dev ${name}`,
    `link set ${name} up`,
  ];
  for (const command of here) await run('ip', command.split(' '));
  await inside(path, 'ip', 'addr', 'add', `${prefix}.2/24`, 'dev', 'eth0');
  await inside(path, 'ip', 'link', 'set', 'eth0', 'up');
  return { address: `${prefix}.2`, [Symbol.asyncDispose]: () => removeNamespace(path) };
}

test('a container without network has a loopback and nothing else', async () => {
  await using fixture = await testNetworks('10.213.3.0/24');
  const path = fixture.root.join('one');
  const connection = await fixture.networks.connect({ containerId: 'd'.repeat(64), mode: 'none', path });
  assert.deepEqual(connection, { namespace: path, address: undefined });
  const links = JSON.parse(await inside(path, 'ip', '-json', 'link')) as {
    ifname: string;
    flags: string[];
  }[];
  assert.deepEqual(
    links.map((link) => link.ifname),
    ['lo'],
  );
  assert.ok(links[0]?.flags.includes('UP'));
  await fixture.networks.disconnect('d'.repeat(64), path);
});

test('addresses run out with a clear error, and one that was let go is given again', async () => {
  await using fixture = await testNetworks('10.213.4.0/30');
  const { networks, root } = fixture;
  await networks.connect({ containerId: 'e'.repeat(64), mode: 'bridge', path: root.join('one') });
  const another = { containerId: 'f'.repeat(64), mode: 'bridge', path: root.join('two') } as const;
  await assert.rejects(networks.connect(another), /no address is free in 10\.213\.4\.0\/30/);
  await networks.disconnect('e'.repeat(64), root.join('one'));
  assert.equal((await networks.connect(another)).address, '10.213.4.2');
  await networks.disconnect('f'.repeat(64), root.join('two'));
});

test('a new start knows the addresses of running containers and forgets those of ended ones', async () => {
  await using fixture = await testNetworks('10.213.5.0/24');
  const { networks, root } = fixture;
  const [kept, lost] = ['1'.repeat(64), '2'.repeat(64)];
  const held = await networks.connect({ containerId: kept, mode: 'bridge', path: root.join('kept') });
  await networks.connect({ containerId: lost, mode: 'bridge', path: root.join('lost') });
  const later = fixture.reopen();
  await later.recover(new Set([kept]));
  assert.equal(later.endpointsOf(lost, 'bridge').bridge?.IPAddress, '');
  assert.equal(later.endpointsOf(kept, 'bridge').bridge?.IPAddress, held.address);
  await later.disconnect(kept, root.join('kept'));
  await later.disconnect(lost, root.join('lost'));
});

test('closing takes the bridge and its rules away', async () => {
  await using fixture = await testNetworks('10.213.7.0/24');
  const { networks, root, bridge } = fixture;
  await networks.connect({ containerId: '3'.repeat(64), mode: 'bridge', path: root.join('one') });
  await networks.disconnect('3'.repeat(64), root.join('one'));
  await networks.close();
  assert.equal(existsSync(`/sys/class/net/${bridge}`), false);
  await assert.rejects(run('nft', ['list', 'table', 'ip', bridge]), /No such file/);
});

test('a network that is not there is refused by name', async () => {
  await using fixture = await testNetworks('10.213.6.0/24');
  assert.throws(() => fixture.networks.modeOf('nowhere'), /network nowhere not found/);
  assert.throws(() => fixture.networks.inspect('nowhere'), /network nowhere not found/);
  assert.deepEqual(
    fixture.networks.list().map((network) => network.Name),
    ['bridge', 'host', 'none'],
  );
});

test('a container comes back at once, while the kernel still takes its last link away', async () => {
  await using fixture = await testNetworks('10.213.9.0/24');
  const { networks, root } = fixture;
  const path = root.join('again');
  for (let round = 0; round < 20; round += 1) {
    await networks.connect({ containerId: 'c'.repeat(64), mode: 'bridge', path });
    await networks.disconnect('c'.repeat(64), path);
  }
});
