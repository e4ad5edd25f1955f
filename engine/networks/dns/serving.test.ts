import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import test from 'node:test';
import { block, identityOf, testNetworks } from '../../../workshop/testing/networks.ts';
import { formatSubnet } from '../addresses.ts';
import { inventSubnet6 } from '../pool.ts';
import { withLength } from './forward.ts';
import { answer, type Question, readQuestion, types } from './message.ts';

const SRV = 33;

function query(name: string, type: number): Buffer {
  const labels = name.split('.').flatMap((label) => [Buffer.from([label.length]), Buffer.from(label)]);
  return Buffer.concat([
    Buffer.from([0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]),
    ...labels,
    Buffer.from([0, 0, type, 0, 1]),
  ]);
}

/** Asks the name server of a container in its namespace; the code, and what stands last in the answer. */
async function ask(path: string, name: string, { type, tcp = false }: { type: number; tcp?: boolean }) {
  const question = query(name, type);
  const target = `${tcp ? 'TCP' : 'UDP'}:127.0.0.11:53`;
  const child = spawn('nsenter', [`--net=${path}`, 'socat', '-', target], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  try {
    child.stdin.write(tcp ? withLength(question) : question);
    const [whole] = (await once(child.stdout, 'data')) as [Buffer];
    const message = tcp ? whole.subarray(2) : whole;
    assert.equal(message.readUInt16BE(0), 0x1234);
    return {
      code: message.readUInt16BE(2) & 15,
      count: message.readUInt16BE(6),
      last: message.subarray(question.length + 12),
    };
  } finally {
    child.kill('SIGKILL');
  }
}

/** A name server that others keep, at an address of the loopback: it says the same of each name. */
async function upstream(said: string) {
  const address = `127.${randomInt(1, 255)}.${randomInt(1, 255)}.${randomInt(1, 255)}`;
  const reply = (message: Buffer) => answer(readQuestion(message) as Question, [said], 512);
  const asked: string[] = [];
  const note = (message: Buffer) => {
    asked.push((readQuestion(message) as Question).name);
    return reply(message);
  };
  const udp = createSocket('udp4').on('message', (message, from) =>
    udp.send(note(message), from.port, from.address),
  );
  await once(udp.bind(53, address), 'listening');
  const tcp = createServer((socket) =>
    socket.on('data', (message: Buffer) => socket.write(withLength(note(message.subarray(2))))),
  );
  await once(tcp.listen(53, address), 'listening');
  return {
    address,
    asked,
    [Symbol.dispose]() {
      udp.close();
      tcp.close();
    },
  };
}

test('a container asks the names of its networks, others of the servers it was given, by UDP and TCP', {
  timeout: 60_000,
}, async () => {
  await using fixture = await testNetworks(`${block}.1.0/24`);
  const six = formatSubnet(inventSubnet6());
  const Config = [{ Subnet: `${block}.10.0/24` }, { Subnet: six }];
  await fixture.networks.create({ Name: 'back', EnableIPv6: true, IPAM: { Config } });
  await fixture.networks.create({
    Name: 'shut',
    Internal: true,
    IPAM: { Config: [{ Subnet: `${block}.11.0/24` }] },
  });
  using others = await upstream('198.51.100.7');
  const start = async (id: string, on: string, nameServers: readonly string[]) => {
    const path = fixture.root.join(id);
    fixture.networks.attach(id, [{ network: fixture.networks.find(on), wish: {} }]);
    const identity = { ...identityOf(id), nameServers };
    await fixture.networks.start({ containerId: id, path, identity, ports: [] });
    return path;
  };
  const one = await start('one', 'back', [others.address]);
  await start('two', 'back', []);
  const shut = await start('three', 'shut', [others.address]);
  const four = await start('four', 'back', ['127.255.255.254']);
  const { IPAddress: address = '', GlobalIPv6Address: address6 = '' } =
    fixture.networks.endpointsOf('two').back ?? {};
  const bytes = Buffer.from(address.split('.').map(Number));
  for (const tcp of [false, true]) {
    const known = await ask(one, 'name-two', { type: types.A, tcp });
    assert.deepEqual([known.code, known.count, [...known.last]], [0, 1, [...bytes]]);
    const sixth = await ask(one, 'name-two.back', { type: types.AAAA, tcp });
    assert.deepEqual([sixth.code, sixth.last.length, sixth.last.at(-1)], [0, 16, Number(address6.slice(-1))]);
    const reverse = `${address.split('.').toReversed().join('.')}.in-addr.arpa`;
    const named = await ask(one, reverse, { type: types.PTR, tcp });
    assert.equal(named.last.toString('latin1'), '\x08name-two\x04back\0');
    // Of a name that is known there is nothing else, and nobody else is asked.
    const service = await ask(one, 'name-two', { type: SRV, tcp });
    assert.deepEqual([service.code, service.count], [0, 0]);
    assert.deepEqual(others.asked, []);
    const elsewhere = await ask(one, 'elsewhere.example', { type: types.A, tcp });
    assert.deepEqual([elsewhere.code, [...elsewhere.last]], [0, [198, 51, 100, 7]]);
    assert.deepEqual(others.asked.splice(0), ['elsewhere.example']);
    // Nobody outside is asked on an internal network, and where nobody answers that is said.
    for (const path of [shut, four])
      assert.equal((await ask(path, 'elsewhere.example', { type: types.A, tcp })).code, 2);
    assert.deepEqual(others.asked, []);
  }
  for (const id of ['one', 'two', 'three', 'four']) await fixture.stop(id);
});
