import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, openSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { startEngine } from '../../workshop/testing/engine.ts';
import { held } from '../../workshop/testing/held.ts';
import { makeHost } from '../../workshop/testing/hosts.ts';
import { block, knock, testNetworks } from '../../workshop/testing/networks.ts';
import { createBody } from '../api/create.ts';
import { addVethPair, openRouteSocket } from '../host/netlink.ts';

const run = promisify(execFile);

/** How many containers are on one bridge at a time; more by hand: BERTH_CROWD=500. */
const CROWD = Number(process.env.BERTH_CROWD ?? 40);
const AT_ONCE = 20;

/** Does something for each, some at a time. */
async function forEach<T>(
  items: readonly T[],
  work: (item: T, index: number) => Promise<void>,
): Promise<void> {
  const left = items.entries();
  const worker = async () => {
    for (const [index, item] of left) await work(item, index);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

/**
 * Asks an address for an answer from within a namespace. The kernel remembers 1,024 neighbours for all namespaces of a
 * host together (arp(7), gc_thresh3), and lets none go that is younger than five seconds: where a crowd speaks with
 * itself, questions and answers are lost until there is room.
 */
async function reach(path = '', address = ''): Promise<void> {
  for (let left = 30; ; left -= 1) {
    try {
      await run('nsenter', [`--net=${path}`, ...knock(address)]);
      return;
    } catch (error) {
      if (left === 0) throw error;
      await delay(1_000);
    }
  }
}

test(`${CROWD} containers on one bridge have each its address, reach each other and know each other's names`, async (t) => {
  await using engine = await startEngine();
  const { client } = engine;
  const name = `crowd-${randomBytes(4).toString('hex')}`;
  const { Id: network } = await client.call('networkCreate', {}, { body: { Name: name } });
  const names = Array.from({ length: CROWD }, (_none, index) => `one-of-${name}-${index}`);
  const startedMs = performance.now();
  await forEach(names, async (container) => {
    const body = createBody('busybox', ['sleep', '100000'], { network: [name] });
    const { Id: id } = await client.call('containerCreate', { name: container }, { body });
    await client.act('containerStart', { id });
  });
  const startMs = performance.now() - startedMs;

  const shown = (await client.call('networkInspect', { id: network })) as unknown as {
    readonly Containers: Readonly<Record<string, { readonly Name: string; readonly IPv4Address: string }>>;
  };
  const crowd = Object.entries(shown.Containers).map(([id, { Name, IPv4Address }]) => ({
    name: Name,
    address: IPv4Address.split('/')[0] ?? '',
    path: join(engine.runDir, 'containers', id, 'netns'),
  }));
  assert.equal(crowd.length, CROWD);
  assert.equal(new Set(crowd.map(({ address }) => address)).size, CROWD);
  const bridge = `/sys/class/net/br-${network.slice(0, 12)}`;
  assert.equal(readdirSync(join(bridge, 'brif')).length, CROWD);

  const [first] = crowd;
  await forEach(crowd, async ({ path, address }, index) => {
    const next = crowd[(index + 1) % crowd.length];
    await reach(path, next?.address);
    if (index > 0) await reach(first?.path, address);
    const command = ['busybox', 'nslookup', next?.name ?? '', '127.0.0.11'];
    const { stdout } = await run('nsenter', [`--net=${path}`, ...command]);
    assert.ok(stdout.includes(next?.address ?? '-'), `${next?.name}: ${stdout}`);
  });

  const removedMs = performance.now();
  const all = await client.call('containerList', { all: true });
  await Promise.all(all.map(({ Id: id }) => client.act('containerRemove', { id, force: true })));
  t.diagnostic(
    `started in ${(startMs / 1_000).toFixed(1)} s, removed in ${((performance.now() - removedMs) / 1_000).toFixed(1)} s`,
  );
  for (const [what, ids] of Object.entries(held(engine))) assert.deepEqual(ids, [], what);
  await client.act('networkRemove', { id: network });
  assert.throws(() => readdirSync(bridge), { code: 'ENOENT' });
});

test('a bridge that has no room for another says how many it has', async () => {
  await using fixture = await testNetworks(`${block}.64.0/22`);
  const { bridge } = fixture;
  await fixture.start('first');
  await using host = await makeHost(fixture.root.join('many'));
  const namespaceFd = openSync(host.path, 'r');
  try {
    using socket = openRouteSocket();
    const bridgeIndex = socket.indexOf(bridge);
    const fill = () => {
      for (let index = 0; ; index += 1) {
        const peer = { name: `e${index}`, namespaceFd };
        socket.send([addVethPair({ name: `${bridge.slice(-8)}-${index}`, bridgeIndex, peer })]);
      }
    };
    assert.throws(fill, /veth add/);
  } finally {
    closeSync(namespaceFd);
  }
  await assert.rejects(fixture.start('last'), / is full: it has 1023 interfaces/);
});
