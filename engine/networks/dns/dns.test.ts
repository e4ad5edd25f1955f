import assert from 'node:assert/strict';
import test from 'node:test';
import { answer, codes, readQuestion, refusal, reversedAddress, types } from './message.ts';
import type { JoinedNetwork } from './protocol.ts';
import { openZones } from './zones.ts';

/** A query as a resolver writes it; `size` with an OPT record that says so. */
function query(name: string, type: number, size?: number): Buffer {
  const labels = name.split('.').flatMap((label) => [Buffer.of(label.length), Buffer.from(label)]);
  const opt = size === undefined ? [] : [Buffer.from([0, 0, 41, size >> 8, size & 255, 0, 0, 0, 0, 0, 0])];
  return Buffer.concat([
    Buffer.from([0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, opt.length]),
    ...labels,
    Buffer.from([0, 0, type, 0, 1]),
    ...opt,
  ]);
}

function question(name: string, type: number, size?: number) {
  const read = readQuestion(query(name, type, size));
  assert.ok(read !== undefined && 'name' in read);
  return read;
}

test('a question is read, and answered in its own words', () => {
  const asked = question('Web.Net1', types.A);
  assert.equal(asked.name, 'web.net1');
  const bytes = answer(asked, ['10.0.0.2', '10.0.0.3'], asked.maxBytes);
  assert.equal(bytes.readUInt16BE(0), 0x1234);
  assert.equal(bytes.readUInt16BE(2), 0x8180);
  assert.equal(bytes.readUInt16BE(6), 2);
  assert.ok(bytes.includes('Net1'), 'letter case stays');
  assert.deepEqual([...bytes.subarray(-4)], [10, 0, 0, 3]);
  const six = answer(question('web', types.AAAA), ['fd00::2'], 512);
  assert.equal(six.subarray(-16).toString('hex'), 'fd000000000000000000000000000002');
  const name = answer(question('2.0.0.10.in-addr.arpa', types.PTR), ['web.net1'], 512);
  assert.equal(name.subarray(-10).toString('latin1'), '\x03web\x04net1\0');
  assert.equal(refusal(asked, codes.failed).readUInt16BE(2) & 15, 2);
});

test('an answer that is too long for UDP says so, unless the client has room for it', () => {
  const many = Array.from({ length: 60 }, (_none, index) => `10.0.0.${index}`);
  const asked = question('web', types.A);
  const short = answer(asked, many, asked.maxBytes);
  assert.ok(short.length <= 512);
  assert.equal(short.readUInt16BE(2) & 0x0200, 0x0200);
  assert.equal(short.readUInt16BE(6), 0);
  const roomy = question('web', types.A, 4096);
  assert.equal(answer(roomy, many, roomy.maxBytes).readUInt16BE(6), 60);
});

test('what is no question is refused or left alone', () => {
  assert.equal(readQuestion(Buffer.alloc(5)), undefined);
  const response = query('web', types.A);
  response.writeUInt16BE(0x8100, 2);
  assert.equal(readQuestion(response), undefined, 'two servers must not answer each other');
  const update = query('web', types.A);
  update.writeUInt16BE(0x2800, 2);
  assert.deepEqual(readQuestion(update), { code: codes.notImplemented });
  const none = query('web', types.A);
  none.writeUInt16BE(0, 4);
  assert.deepEqual(readQuestion(none), { code: codes.malformed });
  for (let length = 12; length < query('web', types.A).length; length += 1)
    assert.deepEqual(readQuestion(query('web', types.A).subarray(0, length)), { code: codes.malformed });
  const pointer = query('web', types.A);
  pointer[12] = 0xc0;
  assert.deepEqual(readQuestion(pointer), { code: codes.malformed });
});

test('names below arpa are addresses', () => {
  assert.equal(reversedAddress('2.0.19.172.in-addr.arpa'), '172.19.0.2');
  const six = '2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa';
  assert.equal(reversedAddress(six), 'fd00::2');
  assert.equal(reversedAddress('web.arpa'), undefined);
});

test('a container sees the names of its own networks, its links, and no others', () => {
  const zones = openZones();
  const join = (containerId: string, networkId: string, address: string, more: Partial<JoinedNetwork> = {}) =>
    zones.join({
      kind: 'join',
      containerId,
      networkId,
      networkName: `net-${networkId}`,
      internal: false,
      names: [containerId, 'app'],
      addresses: [address],
      links: [],
      ...more,
    });
  join('one', 'a', '10.0.0.2');
  join('two', 'a', '10.0.0.3');
  join('two', 'b', '10.1.0.2', { internal: true });
  join('three', 'b', '10.1.0.3', { internal: true, links: [{ alias: 'db', name: 'two' }] });
  assert.deepEqual(zones.lookUp('one', 'two'), ['10.0.0.3']);
  assert.deepEqual(zones.lookUp('one', 'two.net-a'), ['10.0.0.3']);
  assert.equal(zones.lookUp('one', 'three'), undefined);
  assert.deepEqual(zones.lookUp('three', 'db'), ['10.1.0.2']);
  assert.equal(zones.lookUp('two', 'db'), undefined, 'a link is its own alone');
  const turns = [zones.lookUp('one', 'app')?.[0], zones.lookUp('one', 'app')?.[0]];
  assert.deepEqual(turns.toSorted(), ['10.0.0.2', '10.0.0.3'], 'each is first in its turn');
  assert.equal(zones.nameOf('one', '10.0.0.3'), 'two.net-a');
  assert.equal(zones.nameOf('one', '10.1.0.3'), undefined);
  assert.deepEqual(
    [zones.isInside('one'), zones.isInside('two'), zones.isInside('three')],
    [false, false, true],
  );
  join('two', 'a', '10.0.0.9', { names: ['renamed'] });
  assert.equal(zones.lookUp('one', 'two'), undefined);
  assert.deepEqual(zones.lookUp('one', 'renamed'), ['10.0.0.9']);
  zones.leave('two', 'a');
  assert.equal(zones.lookUp('one', 'renamed'), undefined);
});
