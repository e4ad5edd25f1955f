import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { promisify } from 'node:util';
import {
  arpReply,
  discovery,
  echoReply,
  ethernet,
  type Frames,
  macOf,
  openFrames,
  udp,
} from '../../workshop/testing/frames.ts';
import { block, testNetworks } from '../../workshop/testing/networks.ts';
import { addressBytes as bytes } from '../host/netlink-message.ts';
import { formatSubnet } from './addresses.ts';
import { linkLocalOf } from './bridge.ts';
import { inventSubnet6 } from './pool.ts';

const run = promisify(execFile);

/** Frames as a container with all rights would write them; what its neighbour's interface sees is what counts. */

const EVERYBODY = 'ff:ff:ff:ff:ff:ff';
const ALL_NODES = { mac: '33:33:00:00:00:01', ip: bytes('ff02::1') };
const STRANGER = '02:42:99:99:99:99';
const [ROUTER_ADVERT, SOLICIT, ADVERT, REDIRECT] = [134, 135, 136, 137];
const OVERRIDE = Buffer.from([0x20, 0, 0, 0]);

/** What a socket of this host's is told. */
async function listenAt(address: string) {
  const socket = createSocket('udp4');
  const words: string[] = [];
  socket.on('message', (message) => words.push(message.toString()));
  await once(socket.bind(0, address), 'listening');
  return { port: socket.address().port, words, [Symbol.dispose]: () => socket.close() };
}

/** What this host is told in ICMP. */
function listenForEchoes() {
  const child = spawn('socat', ['-u', 'IP4-RECV:1', 'STDOUT'], { stdio: ['ignore', 'pipe', 'inherit'] });
  let words = '';
  child.stdout.on('data', (data: Buffer) => {
    words += data.toString('latin1');
  });
  return { words: () => words, [Symbol.dispose]: () => void child.kill() };
}

async function neighbours() {
  const fixture = await testNetworks(`${block}.0.0/24`);
  const Subnet = formatSubnet(inventSubnet6());
  await fixture.networks.create({
    Name: 'six',
    EnableIPv6: true,
    IPAM: { Config: [{ Subnet: `${block}.60.0/24` }, { Subnet }] },
  });
  const make = async (id: string) => {
    const container = await fixture.start(id, ['six']);
    const { IPAddress, GlobalIPv6Address, MacAddress } = fixture.networks.endpointsOf(id).six ?? {};
    const links = JSON.parse(await container.inside('ip', '-json', 'link', 'show', 'eth0')) as {
      ifindex: number;
    }[];
    const mac = MacAddress ?? '';
    const frames = openFrames(container.path, links[0]?.ifindex ?? 0);
    return {
      ...container,
      mac,
      frames,
      four: bytes(IPAddress ?? ''),
      six: bytes(GlobalIPv6Address ?? ''),
      local: bytes(linkLocalOf(mac)),
    };
  };
  return {
    fixture,
    gateway6: bytes(Subnet.replace('::/64', '::1')),
    one: await make('one'),
    two: await make('two'),
  };
}

/** Sends frames, then one that may pass; gives which of the others the receiver saw by then. */
async function arriving(
  { from, to }: { readonly from: Frames; readonly to: Frames },
  frames: Readonly<Record<string, Buffer>>,
  last: Buffer,
): Promise<readonly string[]> {
  to.seen();
  for (const frame of [...Object.values(frames), last]) from.send(frame);
  const seen: Buffer[] = [];
  const has = (frame: Buffer) => seen.some((other) => other.equals(frame));
  while (!has(last)) {
    seen.push(...to.seen());
    await turn();
  }
  return Object.keys(frames).filter((name) => has(frames[name] ?? Buffer.alloc(0)));
}

test('of what a container writes its neighbours see what is in its own name, and nothing else', {
  timeout: 60_000,
}, async () => {
  const { fixture, gateway6, one, two } = await neighbours();
  await using _fixture = fixture;
  using from = one.frames;
  using to = two.frames;
  const gateway = bytes(`${block}.60.1`);
  const payload = Buffer.from('said by one');
  const arp = { from: one.mac, to: EVERYBODY, type: 'arp' } as const;
  const ip = { from: one.mac, to: two.mac, type: 'ip' } as const;
  const ip6 = { from: one.mac, to: two.mac, type: 'ip6' } as const;
  const toAll = { ...ip6, to: ALL_NODES.mac };
  const advert = (target: Buffer, source = one.six, mac = one.mac) =>
    discovery(source, ALL_NODES.ip, {
      type: ADVERT,
      body: Buffer.concat([OVERRIDE, target, Buffer.from([2, 1]), macOf(mac)]),
    });
  const nowhere = Buffer.alloc(16);
  const honest = {
    'its hardware address for its own': ethernet(arp, arpReply({ mac: one.mac, ip: one.four, to: two.four })),
    IPv4: ethernet(ip, udp(one.four, two.four, payload)),
    IPv6: ethernet(ip6, udp(one.six, two.six, payload)),
    'IPv6 on the link': ethernet(ip6, udp(one.local, two.local, payload)),
    'an advertisement of its own': ethernet(toAll, advert(one.six)),
    'an advertisement on the link': ethernet(toAll, advert(one.local, one.local)),
    'a question whether an address is free': ethernet(
      toAll,
      discovery(nowhere, ALL_NODES.ip, { type: SOLICIT, body: Buffer.concat([Buffer.alloc(4), one.local]) }),
    ),
  };
  const last = (text: string) => ethernet(ip, udp(one.four, two.four, Buffer.from(text)));
  assert.deepEqual(await arriving({ from, to }, honest, last('end of the honest')), Object.keys(honest));

  const router = Buffer.concat([Buffer.from([64, 0, 7, 8]), Buffer.alloc(8)]);
  const spoofed = {
    'ARP: the gateway': ethernet(arp, arpReply({ mac: one.mac, ip: gateway, to: two.four })),
    'ARP: the neighbour': ethernet(arp, arpReply({ mac: one.mac, ip: two.four, to: two.four })),
    'ARP: another hardware address inside': ethernet(
      arp,
      arpReply({ mac: STRANGER, ip: one.four, to: two.four }),
    ),
    'ARP: another hardware address': ethernet(
      { ...arp, from: STRANGER },
      arpReply({ mac: STRANGER, ip: one.four, to: two.four }),
    ),
    'IPv4: the gateway': ethernet(ip, udp(gateway, two.four, payload)),
    'IPv4: the neighbour itself': ethernet(ip, udp(two.four, two.four, payload)),
    'IPv4: another hardware address': ethernet({ ...ip, from: STRANGER }, udp(one.four, two.four, payload)),
    'IPv6: the gateway': ethernet(ip6, udp(gateway6, two.six, payload)),
    'IPv6: an address of nobody': ethernet(ip6, udp(bytes('fd99::99'), two.six, payload)),
    'IPv6: no address': ethernet(ip6, udp(nowhere, two.six, payload)),
    'an advertisement of the gateway': ethernet(toAll, advert(gateway6)),
    'an advertisement of the gateway, on the link': ethernet(toAll, advert(gateway6, one.local)),
    'an advertisement of the neighbour': ethernet(toAll, advert(two.six)),
    'an advertisement without an address': ethernet(toAll, advert(one.six, nowhere)),
    'a router': ethernet(toAll, discovery(one.local, ALL_NODES.ip, { type: ROUTER_ADVERT, body: router })),
    'another way': ethernet(
      ip6,
      discovery(one.local, two.local, {
        type: REDIRECT,
        body: Buffer.concat([Buffer.alloc(4), one.local, gateway6]),
      }),
    ),
    'another protocol': Buffer.concat([macOf(two.mac), macOf(one.mac), Buffer.from([0x88, 0xb5]), payload]),
    'IPv4 in a VLAN': Buffer.concat([
      macOf(two.mac),
      macOf(one.mac),
      Buffer.from([0x81, 0, 0, 7, 8, 0]),
      udp(gateway, two.four, payload),
    ]),
  };
  assert.deepEqual(await arriving({ from, to }, spoofed, last('end of the spoofed')), []);
  for (const id of ['one', 'two']) await fixture.stop(id);
});

/** A port of a bridge that is no container's, and frames as who is there writes them. */
async function strangerOn(bridge: string) {
  const [near, far] = [`${bridge.slice(0, 13)}.n`, `${bridge.slice(0, 13)}.f`];
  await run('ip', ['link', 'add', near, 'type', 'veth', 'peer', 'name', far]);
  await run('ip', ['link', 'set', near, 'master', bridge, 'up']);
  await run('ip', ['link', 'set', far, 'up']);
  const index = Number(readFileSync(`/sys/class/net/${far}/ifindex`, 'utf8'));
  const frames = openFrames('/proc/self/ns/net', index);
  return {
    frames,
    [Symbol.asyncDispose]: async () => {
      frames[Symbol.dispose]();
      await run('ip', ['link', 'delete', near]);
    },
  };
}

test('what listens at the loopback of the host is out of reach from its bridges, by whatever way it is written to', {
  timeout: 60_000,
}, async () => {
  const { fixture, one } = await neighbours();
  await using _fixture = fixture;
  using frames = one.frames;
  const gateway = `${block}.60.1`;
  using loopback = await listenAt('127.0.0.1');
  using open = await listenAt(gateway);
  const bridge = fixture.networks.find('six').bridge ?? '';
  const mac = readFileSync(`/sys/class/net/${bridge}/address`, 'utf8').trim();
  // The kernel would let it in: ports that are published at 127.0.0.1 take that.
  assert.equal(readFileSync(`/proc/sys/net/ipv4/conf/${bridge}/route_localnet`, 'utf8').trim(), '1');
  const head = { from: one.mac, to: mac, type: 'ip' } as const;
  await using stranger = await strangerOn(bridge);
  for (const [from, source] of [
    [frames, one.four],
    [stranger.frames, bytes(`${block}.60.99`)],
  ] as const) {
    const to = (address: string, port: number) =>
      from.send(ethernet(head, udp(source, bytes(address), Buffer.from('word'), port)));
    open.words.length = 0;
    to('127.0.0.1', loopback.port);
    to('127.0.0.1', loopback.port);
    // Until the bridge lets the new port through.
    while (open.words.length === 0) {
      to(gateway, open.port);
      to('127.0.0.1', loopback.port);
      await turn();
    }
    assert.deepEqual(loopback.words, []);
  }
  // What is of no connection is not asked once for each.
  using echoes = listenForEchoes();
  while (!echoes.words().includes('to the gateway')) {
    frames.send(ethernet(head, echoReply(one.four, bytes('127.0.0.1'), Buffer.from('to the loopback'))));
    frames.send(ethernet(head, echoReply(one.four, bytes(gateway), Buffer.from('to the gateway.'))));
    await turn();
  }
  assert.ok(!echoes.words().includes('to the loopback'));
  for (const id of ['one', 'two']) await fixture.stop(id);
});
