import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import test from 'node:test';
import { promisify } from 'node:util';
import { joinHosts, makeHost } from '../../../workshop/testing/hosts.ts';
import { block, identityOf, testNetworks } from '../../../workshop/testing/networks.ts';
import { inNetworkNamespace } from '../../host/network-namespace.ts';
import { bindSocket } from '../../host/sockets.ts';
import { formatSubnet } from '../addresses.ts';
import { inventSubnet6 } from '../pool.ts';
import type { PortWish } from './types.ts';

const run = promisify(execFile);

/** A port for any address, of this containers' port 80 where nothing else is said. */
const wish = (more: Partial<PortWish> = {}): PortWish => ({
  protocol: 'tcp',
  containerPort: 80,
  address: '',
  first: 0,
  last: 0,
  ...more,
});
const at = (port: number, more: Partial<PortWish> = {}) => wish({ first: port, last: port, ...more });

/** Answers in a container: to who connects or sends, with the address that it sees. */
async function serve(path: string, protocol: 'tcp' | 'udp' = 'tcp', address = '0.0.0.0') {
  const { fd } = inNetworkNamespace(path, () => bindSocket({ protocol, address, port: 80 }));
  if (protocol === 'tcp') {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      // What is said is said back, after the address.
      socket.write(`${socket.remoteAddress}\n`);
      socket.pipe(socket);
    });
    await once(server.listen({ fd }), 'listening');
    return { [Symbol.asyncDispose]: async () => void server.close() };
  }
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  socket.on('message', (_message, from) => socket.send(`${from.address}\n`, from.port, from.address));
  socket.bind({ fd });
  return { [Symbol.asyncDispose]: async () => void socket.close() };
}

/** What a port answers to this host; rejects where it refuses. */
async function ask(address: string, port: number): Promise<string> {
  const socket = connect({ host: address, port });
  const [first] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return first.toString().trim();
}

/** The same from elsewhere. */
const from = (address: string, port: number, kind: 'TCP' | 'UDP' = 'TCP') => [
  'sh',
  '-c',
  // Of UDP nothing says that it has ended: the first answer is all.
  `echo | socat -T 2 - ${kind}:${address.includes(':') ? `[${address}]` : address}:${port}${kind === 'TCP' ? ',connect-timeout=20' : ''} | head -n 1 | grep .`,
];
/** For what is not to be reached. */
const knock = (address: string, port: number) => [
  'socat',
  '-T',
  '1',
  '-',
  `TCP:${address.includes(':') ? `[${address}]` : address}:${port},connect-timeout=1`,
];

const portOf = (fixture: Awaited<ReturnType<typeof testNetworks>>, id: string) =>
  fixture.networks.portsOf(id)[0]?.port ?? 0;

test('a published port is reached from the host, other hosts and containers; nothing else of the container is', async () => {
  await using fixture = await testNetworks();
  await using outside = await makeHost(fixture.root.join('outside'));
  await joinHosts({ to: outside, here: [`${block}.200.1/24`], there: [`${block}.200.2/24`] });
  const one = await fixture.start('one', ['bridge'], [wish()]);
  const two = await fixture.start('two');
  await using _server = await serve(one.path);
  const [four, six] = fixture.networks.portsOf('one');
  assert.deepEqual([four?.address, six?.address, six?.port], ['0.0.0.0', '::', four?.port]);
  const port = four?.port ?? 0;
  assert.ok(port >= 32768, 'of the ports that are drawn');
  // The host's own addresses, each as the container sees it.
  const gateway = `${block}.0.1`;
  assert.equal(await ask('127.0.0.1', port), gateway);
  assert.equal(await ask(`${block}.200.1`, port), `${block}.200.1`);
  assert.equal(await ask('::1', port), gateway, 'carried by the engine: no rule can');
  // Another host sees the port alone, and the container the host.
  const outsider = `${block}.200.2`;
  assert.equal((await outside.run(...from(`${block}.200.1`, port))).trim(), outsider);
  await outside.run('ip', 'route', 'add', `${block}.0.0/24`, 'via', `${block}.200.1`);
  await assert.rejects(
    outside.run(...knock(one.addresses[0] ?? '', 80)),
    'the container itself is out of reach',
  );
  // Containers, and the one itself.
  assert.equal((await two.inside(...from(gateway, port))).trim(), gateway);
  assert.equal((await one.inside(...from(gateway, port))).trim(), gateway);
  assert.equal((await two.inside(...from(`${block}.200.1`, port))).trim(), gateway);
  await fixture.stop('one');
  await assert.rejects(ask('127.0.0.1', port), /ECONNREFUSED/);
  await assert.rejects(ask('::1', port), /ECONNREFUSED/);
  await fixture.stop('two');
});

test('what is published on 127.0.0.1 is the host’s alone', async () => {
  await using fixture = await testNetworks();
  await using outside = await makeHost(fixture.root.join('outside'));
  const cable = await joinHosts({ to: outside, here: [`${block}.200.1/24`], there: [`${block}.200.2/24`] });
  const one = await fixture.start('one', ['bridge'], [wish({ address: '127.0.0.1' })]);
  const two = await fixture.start('two');
  await using _server = await serve(one.path);
  const port = portOf(fixture, 'one');
  assert.equal(await ask('127.0.0.1', port), `${block}.0.1`);
  await assert.rejects(outside.run(...knock(`${block}.200.1`, port)));
  // A neighbour that sends to 127.0.0.1 by this host's hardware address.
  const mac = (await run('cat', [`/sys/class/net/${cable}/address`])).stdout.trim();
  await outside.run('sysctl', '-qw', 'net.ipv4.conf.all.route_localnet=1');
  await outside.run('ip', 'addr', 'del', '127.0.0.1/8', 'dev', 'lo');
  await outside.run('ip', 'route', 'add', '127.0.0.1/32', 'via', `${block}.200.1`, 'src', `${block}.200.2`);
  await outside.run('ip', 'neigh', 'replace', `${block}.200.1`, 'lladdr', mac, 'dev', 'eth0');
  await outside.run('ip', 'rule', 'add', 'pref', '1', 'lookup', 'main');
  await outside.run('ip', 'rule', 'del', 'pref', '0');
  const before = await received(one.path);
  await assert.rejects(outside.run(...knock('127.0.0.1', port)));
  assert.equal(await received(one.path), before, 'nothing of it comes to the container');
  await assert.rejects(two.inside(...knock(`${block}.0.1`, port)));
  for (const id of ['one', 'two']) await fixture.stop(id);
});

/** How many segments of TCP came to a container. */
async function received(path: string): Promise<string> {
  const { stdout } = await run('nsenter', [`--net=${path}`, 'cat', '/proc/net/snmp']);
  const [names = [], values = []] = stdout
    .split('\n')
    .filter((line) => line.startsWith('Tcp:'))
    .map((line) => line.split(' '));
  return values[names.indexOf('InSegs')] ?? '';
}

test('a port that is taken is refused, by whom it is taken; one of a range is found', async () => {
  await using fixture = await testNetworks();
  const held = bindSocket({ protocol: 'tcp', address: '0.0.0.0', port: 0 });
  await assert.rejects(
    fixture.start('one', ['bridge'], [at(held.port)]),
    new RegExp(`Bind for 0.0.0.0:${held.port} failed: address already in use`),
  );
  assert.deepEqual(fixture.networks.portsOf('one'), []);
  await fixture.stop('one');
  await fixture.start('one', ['bridge'], [wish()]);
  const port = portOf(fixture, 'one');
  const taken = new RegExp(`Bind for 127.0.0.1:${port} failed: port is already allocated`);
  await assert.rejects(fixture.start('two', ['bridge'], [at(port, { address: '127.0.0.1' })]), taken);
  await fixture.stop('two');
  await assert.rejects(
    fixture.start('two', ['bridge'], [at(port)]),
    /0\.0\.0\.0:\d+ failed: port is already/,
  );
  await fixture.stop('two');
  await assert.rejects(
    fixture.start('two', ['bridge'], [at(8080, { address: '10.11.12.13' })]),
    /Bind for 10.11.12.13:8080 failed: cannot assign requested address/,
  );
  await fixture.stop('two');
  // The same number is another port over UDP.
  await fixture.start(
    'two',
    ['bridge'],
    [wish({ first: port, last: port + 50 }), at(port, { protocol: 'udp' })],
  );
  const [range, , udp] = fixture.networks.portsOf('two');
  assert.ok(range !== undefined && range.port > port && range.port <= port + 50);
  assert.deepEqual([udp?.protocol, udp?.port], ['udp', port]);
  for (const id of ['one', 'two']) await fixture.stop(id);
  await fixture.start('three', ['bridge'], [at(port)]);
  await fixture.stop('three');
});

test('UDP is carried as well, and goes to the container that has the port now', async () => {
  await using fixture = await testNetworks();
  const sender = createSocket('udp4');
  const askUdp = async (port: number, address = '127.0.0.1', socket = sender) => {
    const answered = once(socket, 'message');
    socket.send('?', port, address);
    return String((await answered)[0]).trim();
  };
  const one = await fixture.start('one', ['bridge'], [wish({ protocol: 'udp' })]);
  const port = portOf(fixture, 'one');
  {
    await using _server = await serve(one.path, 'udp');
    assert.equal(await askUdp(port), `${block}.0.1`);
    const six = createSocket('udp6');
    assert.equal(await askUdp(port, '::1', six), `${block}.0.1`);
    six.close();
  }
  await fixture.stop('one');
  // The same sender goes on: the kernel has forgotten where its packets went.
  const two = await fixture.start('two', ['bridge'], [at(port, { protocol: 'udp' })]);
  await using _server = await serve(two.path, 'udp');
  assert.equal(await askUdp(port), `${block}.0.1`);
  sender.close();
  await fixture.stop('two');
});

test('over IPv6 the kernel leads to containers that have it', async () => {
  await using fixture = await testNetworks();
  await using outside = await makeHost(fixture.root.join('outside'));
  const cable = formatSubnet(inventSubnet6()).replace('::/64', '');
  await joinHosts({ to: outside, here: [`${cable}::1/64`], there: [`${cable}::2/64`] });
  const Subnet = formatSubnet(inventSubnet6());
  await fixture.networks.create({
    Name: 'six',
    EnableIPv6: true,
    IPAM: { Config: [{ Subnet: `${block}.60.0/24` }, { Subnet }] },
  });
  const one = await fixture.start('one', ['six'], [wish({ address: '::' })]);
  await using _server = await serve(one.path, 'tcp', '::');
  const port = portOf(fixture, 'one');
  assert.equal((await outside.run(...from(`${cable}::1`, port))).trim(), `${cable}::2`);
  assert.equal(await ask('::1', port), Subnet.replace('::/64', '::1'));
  await assert.rejects(ask('127.0.0.1', port), /ECONNREFUSED/, 'IPv6 alone');
  await fixture.stop('one');
});

test('ports follow the network that leads out, and are none where none does', async () => {
  await using fixture = await testNetworks();
  const { networks } = fixture;
  const make = async (name: string, third: number, more = {}) =>
    (await networks.create({ Name: name, IPAM: { Config: [{ Subnet: `${block}.${third}.0/24` }] }, ...more }))
      .network;
  const front = await make('front', 30);
  await make('inside', 31, { Internal: true });
  const back = await make('back', 32, {
    Options: { 'com.docker.network.bridge.host_binding_ipv4': '127.0.0.1' },
  });
  const one = await fixture.start('one', ['inside'], [wish()]);
  await using _server = await serve(one.path);
  assert.deepEqual(networks.portsOf('one'), []);
  await networks.connect('one', front, {});
  const port = portOf(fixture, 'one');
  assert.equal(await ask('127.0.0.1', port), `${block}.30.1`);
  // The first by name leads out, and in: the port stays.
  await networks.connect('one', back, {});
  assert.equal(portOf(fixture, 'one'), port);
  assert.equal(await ask('127.0.0.1', port), `${block}.32.1`);
  await networks.disconnect('one', back);
  assert.equal(await ask('127.0.0.1', port), `${block}.30.1`);
  await networks.disconnect('one', front);
  assert.deepEqual(networks.portsOf('one'), []);
  await assert.rejects(ask('127.0.0.1', port), /ECONNREFUSED/);
  await networks.connect('one', back, {});
  assert.deepEqual(
    networks.portsOf('one').map(({ address }) => address),
    ['127.0.0.1'],
    'as the network has it',
  );
  await fixture.stop('one');
});

test('connections go on while an engine ends and another takes its place; a port that was lost meanwhile is told', async () => {
  await using fixture = await testNetworks();
  const one = await fixture.start('one', ['bridge'], [wish()]);
  await using _server = await serve(one.path);
  const port = portOf(fixture, 'one');
  const socket = connect({ host: '127.0.0.1', port });
  await once(socket, 'data');
  const before = fixture.networks.portsOf('one');
  const later = await fixture.reopen();
  const sandbox = { path: one.path, identity: identityOf('one'), ports: [wish()] };
  await later.recover(new Map([['one', sandbox]]), new Set(['one']));
  assert.deepEqual(later.portsOf('one'), before);
  assert.equal(await said(socket), 'still');
  assert.equal(await ask('127.0.0.1', port), `${block}.0.1`);
  assert.equal(await ask('::1', port), `${block}.0.1`);
  await assert.rejects(once(createServer().listen(port, '0.0.0.0'), 'listening'), /EADDRINUSE/);
  socket.destroy();
  // One whose container has ended is nobody's.
  const last = await fixture.reopen();
  await last.recover(new Map(), new Set(['one']));
  assert.deepEqual(last.portsOf('one'), []);
  await assert.rejects(ask('127.0.0.1', port), /ECONNREFUSED/);
  await fixture.stop('one');
});

async function said(socket: Socket): Promise<string> {
  socket.write('still');
  const [answer] = (await once(socket, 'data')) as [Buffer];
  return answer.toString();
}

test('a published port is reached while somebody has taken the rules away, and they come back', async () => {
  await using fixture = await testNetworks();
  const one = await fixture.start('one', ['bridge'], [wish()]);
  await using _server = await serve(one.path);
  const port = portOf(fixture, 'one');
  for (const family of ['inet', 'bridge']) await run('nft', ['delete', 'table', family, fixture.bridge]);
  assert.equal(await ask('127.0.0.1', port), `${block}.0.1`);
  const published = async () =>
    (await run('nft', ['list', 'map', 'inet', fixture.bridge, 'published4'])).stdout.includes(String(port));
  while (!(await published().catch(() => false)));
  assert.equal(await ask('127.0.0.1', port), `${block}.0.1`);
  await fixture.stop('one');
});
