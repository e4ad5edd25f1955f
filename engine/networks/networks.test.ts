import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import test from 'node:test';
import { promisify } from 'node:util';
import { joinHosts, makeHost } from '../../workshop/testing/hosts.ts';
import { block, identityOf, knock, ping, testNetworks } from '../../workshop/testing/networks.ts';
import { contains, formatSubnet, overlaps, parseSubnet, plainAddress, sizeOf } from './addresses.ts';
import { openFirewall } from './firewall.ts';
import { openAddressPool } from './ipam.ts';
import { inventSubnet6 } from './pool.ts';

const run = promisify(execFile);

test('subnets are read, written and compared', () => {
  assert.equal(formatSubnet(parseSubnet('10.1.2.3/8')), '10.0.0.0/8');
  assert.equal(sizeOf(parseSubnet('192.168.7.0/29')), 8n);
  assert.equal(overlaps(parseSubnet('172.16.0.0/12'), parseSubnet('172.31.255.0/24')), true);
  assert.equal(overlaps(parseSubnet('172.16.0.0/12'), parseSubnet('172.32.0.0/16')), false);
  assert.equal(formatSubnet(parseSubnet('FD00:0:0:1:0:0:0:9/64')), 'fd00:0:0:1::/64');
  assert.equal(formatSubnet(parseSubnet('::/0')), '::/0');
  assert.equal(overlaps(parseSubnet('fd00::/8'), parseSubnet('fd12::/64')), true);
  assert.equal(overlaps(parseSubnet('::/0'), parseSubnet('10.0.0.0/8')), false);
  assert.equal(plainAddress('FD00::ffff:1.2.3.4'), 'fd00::ffff:102:304');
  assert.equal(contains(parseSubnet('fd00:1::/32'), 'fd00:1:2::3'), true);
  assert.equal(contains(parseSubnet('10.0.0.0/8'), '11.0.0.1'), false);
  assert.match(formatSubnet(inventSubnet6()), /^fd[0-9a-f:]+::\/64$/);
  for (const wrong of ['', '10.0.0.0', '10.0.0.256/8', '10.0.0.0/33', 'x/8', 'fd00::/129', '10.0.0.0/'])
    assert.throws(() => parseSubnet(wrong), /invalid subnet/);
});

test('addresses are given once each before any is given again', () => {
  const pool = openAddressPool({
    subnet: parseSubnet('10.9.0.0/29'),
    reserved: ['10.9.0.1', '10.9.0.4'],
  });
  pool.take('10.9.0.2');
  assert.equal(pool.allocate(), '10.9.0.3');
  pool.release('10.9.0.3');
  assert.equal(pool.allocate(), '10.9.0.5');
  assert.equal(pool.allocate('10.9.0.6'), '10.9.0.6');
  assert.equal(pool.allocate(), '10.9.0.3');
  assert.throws(() => pool.allocate(), /no address is free in 10\.9\.0\.0\/29/);
  pool.release('10.9.0.2');
  assert.equal(pool.allocate(), '10.9.0.2');
  assert.throws(() => pool.allocate('10.9.0.6'), /Address already in use: 10\.9\.0\.6/);
  for (const wrong of ['10.9.0.0', '10.9.0.7', '10.9.0.8', 'fd00::1', 'x'])
    assert.throws(() => pool.allocate(wrong), /no address of/, wrong);
});

test('all addresses of a large network are given, each once', () => {
  const pool = openAddressPool({ subnet: parseSubnet('10.9.0.0/16'), reserved: ['10.9.0.1'] });
  const given = Array.from({ length: 2 ** 16 - 3 }, () => pool.allocate());
  assert.equal(new Set(given).size, given.length);
  assert.throws(() => pool.allocate(), /no address is free/);
  const few = given.slice(-5);
  for (const address of few) pool.release(address);
  for (let times = 0; times < 3; times += 1)
    for (const address of few) {
      assert.equal(pool.allocate(), address);
      pool.release(address);
    }
});

test('two containers on the bridge reach each other and their gateway', async () => {
  await using fixture = await testNetworks(`${block}.1.0/24`);
  const { networks, root } = fixture;
  const one = await fixture.start('one');
  const two = await fixture.start('two');
  assert.notEqual(one.addresses[0], two.addresses[0]);
  await one.inside(...ping(two.addresses[0]));
  await two.inside(...ping(`${block}.1.1`));
  const endpoint = networks.endpointsOf('one').bridge;
  assert.equal(endpoint?.IPAddress, one.addresses[0]);
  assert.equal(endpoint?.Gateway, `${block}.1.1`);
  assert.match(await one.inside('ip', 'addr', 'show', 'eth0'), new RegExp(endpoint?.MacAddress ?? '-'));
  await fixture.stop('one');
  await fixture.stop('two');
  await fixture.stop('two');
  assert.equal(readFileSync('/proc/self/mounts', 'utf8').includes(root.path), false);
});

test('a container reaches another host, which sees the address of this host, and is not reached from there', async () => {
  await using fixture = await testNetworks(`${block}.2.0/24`);
  const one = await fixture.start('one');
  await using outside = await makeHost(fixture.root.join('outside'));
  await joinHosts({ to: outside, here: [`${block}.200.1/24`], there: [`${block}.200.2/24`] });
  // The other host knows no way back to the container's subnet: an answer comes only to this host's own address.
  await one.inside(...ping(`${block}.200.2`));
  await outside.run('ip', 'route', 'add', `${block}.2.0/24`, 'via', `${block}.200.1`);
  await assert.rejects(outside.run(...knock(one.addresses[0])), 'what was not asked for stays outside');
  await fixture.stop('one');
});

test('networks of users are apart; a container comes and goes while it runs', async () => {
  await using fixture = await testNetworks(`${block}.3.0/24`);
  const { networks } = fixture;
  const make = async (name: string, subnet: string, more = {}) =>
    await networks.create({ Name: name, IPAM: { Config: [{ Subnet: subnet }] }, ...more });
  await make('front', `${block}.30.0/24`);
  const { network: back } = await make('back', `${block}.31.0/24`);
  await make('shut', `${block}.32.0/24`, { Internal: true });
  const one = await fixture.start('one', ['front']);
  const two = await fixture.start('two', ['back', 'shut']);
  const three = await fixture.start('three', ['shut']);
  assert.equal(one.addresses[0], `${block}.30.2`);
  assert.deepEqual(two.addresses, [`${block}.31.2`, `${block}.32.2`]);
  await assert.rejects(one.inside(...knock(`${block}.31.2`)), 'another network is out of reach');
  await networks.connect('one', back, { Aliases: ['uno'] });
  assert.match(
    await one.inside('ip', '-4', '-o', 'addr', 'show', 'eth1'),
    new RegExp(String.raw`${block}\.31\.3/24`),
  );
  await one.inside(...ping(`${block}.31.2`));
  // Of several networks the first by name leads out.
  assert.match(await one.inside('ip', 'route'), new RegExp(String.raw`default via ${block}\.31\.1 dev eth1`));
  await assert.rejects(networks.connect('one', back, {}), /already exists in network back/);
  await networks.disconnect('one', back);
  assert.match(await one.inside('ip', 'route'), new RegExp(String.raw`default via ${block}\.30\.1 dev eth0`));
  assert.doesNotMatch(await one.inside('ip', 'addr'), /eth1/);
  await assert.rejects(one.inside(...knock(`${block}.31.2`)));
  // An internal network reaches its own containers, and nothing else.
  await three.inside(...ping(`${block}.32.2`));
  assert.doesNotMatch(await three.inside('ip', 'route'), /default/);
  await three.inside('ip', 'route', 'add', 'default', 'via', `${block}.32.1`);
  await assert.rejects(three.inside(...knock(`${block}.30.2`)));
  await assert.rejects(networks.remove('front'), /network front id [0-9a-f]{64} has active endpoints/);
  await assert.rejects(networks.remove('bridge'), /pre-defined network and cannot be removed/);
  for (const id of ['one', 'two', 'three']) await fixture.stop(id);
  const bridge = (await networks.remove('front')).bridge ?? '';
  assert.equal(existsSync(`/sys/class/net/${bridge}`), false);
  assert.deepEqual(
    (await networks.prune({})).map(({ name }) => name),
    ['back', 'shut'],
  );
});

test('no container speaks in the name of another', async () => {
  await using fixture = await testNetworks(`${block}.4.0/24`);
  const one = await fixture.start('one');
  const two = await fixture.start('two');
  await one.inside(...ping(two.addresses[0]));
  // An address of its neighbour's, one of nobody's, and another hardware address: nothing of it gets through.
  await one.inside('ip', 'addr', 'add', `${block}.4.77/24`, 'dev', 'eth0');
  await one.inside('ip', 'addr', 'add', '10.99.99.99/32', 'dev', 'eth0');
  for (const source of [`${block}.4.77`, '10.99.99.99'])
    await assert.rejects(one.inside(...knock(`${block}.4.1`), '-I', source), source);
  await one.inside(...ping(two.addresses[0]));
  await one.inside('ip', 'link', 'set', 'eth0', 'address', '02:42:00:00:00:99');
  await assert.rejects(one.inside(...knock(`${block}.4.1`)));
  await fixture.stop('one');
  await fixture.stop('two');
});

test('containers of a network without icc reach the outside and not each other', async () => {
  await using fixture = await testNetworks(`${block}.5.0/24`);
  await fixture.networks.create({
    Name: 'alone',
    IPAM: { Config: [{ Subnet: `${block}.50.0/24` }] },
    Options: { 'com.docker.network.bridge.enable_icc': 'false', 'com.docker.network.driver.mtu': '1400' },
  });
  const one = await fixture.start('one', ['alone']);
  const two = await fixture.start('two', ['alone']);
  await one.inside(...ping(`${block}.50.1`));
  await assert.rejects(one.inside(...knock(two.addresses[0])));
  // Nor by way of the host.
  const [there = '', back = ''] = [two.addresses[0], one.addresses[0]];
  for (const [from, to] of [
    [one, there],
    [two, back],
  ] as const)
    await from.inside('ip', 'route', 'add', `${to}/32`, 'via', `${block}.50.1`);
  await assert.rejects(one.inside(...knock(there)));
  assert.match(await one.inside('ip', 'link', 'show', 'eth0'), /mtu 1400/);
  await fixture.stop('one');
  await fixture.stop('two');
});

test('IPv6 is as good as IPv4 on a network that has it', async () => {
  await using fixture = await testNetworks(`${block}.6.0/24`);
  await fixture.networks.create({
    Name: 'six',
    EnableIPv6: true,
    IPAM: { Config: [{ Subnet: `${block}.60.0/24` }, { Subnet: 'fd13:60::/64' }] },
  });
  const one = await fixture.start('one', ['six']);
  const two = await fixture.start('two', ['six']);
  const endpoint = fixture.networks.endpointsOf('two').six;
  assert.equal(endpoint?.GlobalIPv6Address, 'fd13:60::3');
  assert.equal(endpoint?.IPv6Gateway, 'fd13:60::1');
  await one.inside('busybox', 'ping', '-6', '-c', '1', '-W', '2', 'fd13:60::3');
  await two.inside('busybox', 'ping', '-6', '-c', '1', '-W', '2', 'fd13:60::1');
  assert.match(await one.inside('ip', '-6', 'route'), /default via fd13:60::1/);
  await fixture.stop('one');
  await fixture.stop('two');
});

test('rules that somebody takes away come back', async () => {
  await using fixture = await testNetworks(`${block}.7.0/24`);
  const one = await fixture.start('one');
  await run('nft', ['delete', 'table', 'inet', fixture.bridge]);
  await run('nft', ['flush', 'table', 'bridge', fixture.bridge]);
  const rules = async () => (await run('nft', ['list', 'ruleset'])).stdout;
  const back = () =>
    new RegExp(`table inet ${fixture.bridge} [\\s\\S]*table bridge ${fixture.bridge} [\\s\\S]*jump guard`);
  while (!back().test(await rules()));
  await one.inside(...ping(`${block}.7.1`));
  await fixture.stop('one');
});

test('a container without network has a loopback and nothing else', async () => {
  await using fixture = await testNetworks(`${block}.8.0/24`);
  const one = await fixture.start('one', ['none']);
  const links = JSON.parse(await one.inside('ip', '-json', 'link')) as { ifname: string; flags: string[] }[];
  assert.deepEqual(
    links.map((link) => link.ifname),
    ['lo'],
  );
  assert.ok(links[0]?.flags.includes('UP'));
  await fixture.stop('one');
});

test('addresses run out with a clear error, and one that was let go is given again', async () => {
  await using fixture = await testNetworks(`${block}.9.0/30`);
  await fixture.start('one');
  await assert.rejects(
    fixture.start('two'),
    new RegExp(String.raw`no address is free in ${block}\.9\.0\/30`),
  );
  assert.equal(existsSync(fixture.root.join('two')), false);
  await fixture.stop('one');
  fixture.networks.forget('two');
  assert.deepEqual((await fixture.start('two')).addresses, [`${block}.9.2`]);
  await fixture.stop('two');
});

test('a new start knows the addresses of running containers, forgets those of ended ones and mends what is half made', async () => {
  await using fixture = await testNetworks(`${block}.10.0/24`);
  const kept = await fixture.start('kept');
  await fixture.start('lost');
  const torn = await fixture.start('torn');
  const [link] = fixture.networks.joinedBy('torn');
  await run('ip', ['link', 'delete', link?.endpoint.hostInterface ?? '']);
  const later = await fixture.reopen();
  const sandbox = (id: string) =>
    [id, { path: fixture.root.join(id), identity: identityOf(id), ports: [] }] as const;
  await later.recover(new Map([sandbox('kept'), sandbox('torn')]), new Set(['kept', 'torn', 'lost']));
  assert.equal(later.endpointsOf('lost').bridge?.IPAddress, '');
  assert.equal(later.endpointsOf('kept').bridge?.IPAddress, kept.addresses[0]);
  await kept.inside(...ping(torn.addresses[0]));
  await torn.inside(...ping(`${block}.10.1`));
  for (const id of ['kept', 'lost', 'torn']) await fixture.stop(id);
});

test('closing takes the bridge and its rules away', async () => {
  await using fixture = await testNetworks(`${block}.11.0/24`);
  const { networks, bridge } = fixture;
  await fixture.start('one');
  await fixture.stop('one');
  await networks.close();
  assert.equal(existsSync(`/sys/class/net/${bridge}`), false);
  await assert.rejects(run('nft', ['list', 'table', 'inet', bridge]), /No such file/);
});

test('rules that were taken away or left are not made again by what comes late', async () => {
  await using fixture = await testNetworks(`${block}.14.0/24`);
  await fixture.start('one');
  const network = fixture.networks.find('bridge');
  for (const end of ['leave', 'close'] as const) {
    const table = `berth-${randomBytes(4).toString('hex')}`;
    const firewall = openFirewall(table, () => undefined);
    await firewall.addNetwork(network);
    await firewall[end]();
    if (end === 'leave')
      for (const family of ['inet', 'bridge']) await run('nft', ['delete', 'table', family, table]);
    await firewall.addNetwork(network);
    const left = (await run('nft', ['list', 'tables'])).stdout
      .split('\n')
      .filter((line) => line.endsWith(table));
    for (const line of left) await run('nft', ['delete', ...line.split(' ')]);
    assert.deepEqual(left, [], end);
  }
  await fixture.stop('one');
});

test('a network that is not there is refused by name', async () => {
  await using fixture = await testNetworks(`${block}.12.0/24`);
  assert.throws(() => fixture.networks.named('nowhere'), /network nowhere not found/);
  assert.throws(() => fixture.networks.inspect('nowhere'), /network nowhere not found/);
  assert.deepEqual(
    fixture.networks.list().map((network) => network.Name),
    ['bridge', 'host', 'none'],
  );
});

test('a container comes back at once, while the kernel still takes its last link away', async () => {
  await using fixture = await testNetworks(`${block}.13.0/24`);
  for (let round = 0; round < 20; round += 1) {
    await fixture.start('again');
    await fixture.stop('again');
  }
});
