import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { closeSync, openSync, readdirSync, readlinkSync, statSync } from 'node:fs';
import test from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { startEngine } from '../../workshop/testing/engine.ts';
import { ping, testNetworks } from '../../workshop/testing/networks.ts';
import { loadBusybox } from '../../workshop/testing/peers.ts';
import { createBody } from '../api/create.ts';

const run = promisify(execFile);

/** The network namespaces that a process holds descriptors of, by inode. */
function spares(pid: number): readonly number[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      const inode = /^net:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1];
      return inode === undefined ? [] : [Number(inode)];
    } catch {
      return [];
    }
  });
}

/** Waits for something that nobody tells of. */
async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!(await holds())) {
    assert.ok(Date.now() < deadline, what);
    await delay(10);
  }
}

test('a container gets a namespace that was made ahead of time, as another that was made for it', async () => {
  await using engine = await testNetworks();
  assert.deepEqual(spares(process.pid), [], 'made before one was needed');
  const first = await engine.start('first');
  await until('no namespace was made ahead', () => spares(process.pid).length > 0);
  const [made = 0] = spares(process.pid);
  const second = await engine.start('second');
  assert.equal(statSync(second.path).ino, made);

  const shown = await Promise.all(
    [first, second].map(async ({ inside }) => JSON.parse(await inside('ip', '-json', 'link')) as Shown),
  );
  const [one, other] = shown.map((links) =>
    links.map(({ ifname, mtu, operstate, flags }) => ({ ifname, mtu, operstate, flags: flags.toSorted() })),
  );
  assert.deepEqual(other, one);
  const mac = second.addresses[0]?.split('.').map((part) => Number(part).toString(16).padStart(2, '0'));
  assert.equal(shown[1]?.[1]?.address, `02:42:${mac?.join(':')}`);
  await first.inside(...ping(second.addresses[0]));
  await second.inside(...ping(first.addresses[0]));
});

type Shown = readonly {
  readonly ifname: string;
  readonly mtu: number;
  readonly operstate: string;
  readonly address: string;
  readonly flags: readonly string[];
}[];

test('it has the name and the size that its network gives interfaces', async () => {
  await using engine = await testNetworks();
  await engine.networks.create({
    Name: 'wide',
    Options: { 'com.docker.network.driver.mtu': '1400', 'com.docker.network.container_iface_prefix': 'lan' },
  });
  await engine.start('first', ['wide']);
  await until('no namespace was made ahead', () => spares(process.pid).length > 0);
  const made = spares(process.pid);
  const second = await engine.start('second', ['wide']);
  assert.ok(made.includes(statSync(second.path).ino));
  const [, link] = JSON.parse(await second.inside('ip', '-json', 'link')) as Shown;
  assert.deepEqual([link?.ifname, link?.mtu, link?.operstate], ['lan0', 1400, 'UP']);
});

test('where networks are left, nothing is held any more', async () => {
  await using engine = await testNetworks();
  await engine.start('first');
  await until('no namespace was made ahead', () => spares(process.pid).length > 0);
  await engine.networks.leave();
  assert.deepEqual(spares(process.pid), []);
});

for (const end of ['kill', 'stop'] as const)
  test(`after ${end} nothing is left of what an engine made ahead of time`, async () => {
    await using engine = await startEngine({ ownNetwork: true, busybox: false });
    await loadBusybox(engine.host);
    const { client } = engine;
    const network = openSync(`/proc/${engine.pid()}/ns/net`, 'r');
    try {
      const links = async () => {
        const { stdout } = await run('nsenter', [
          `--net=/proc/${process.pid}/fd/${network}`,
          'ip',
          '-o',
          'link',
        ]);
        return [...stdout.matchAll(/ (bv\w+)@/g)].map((match) => match[1]);
      };
      const body = createBody('busybox', ['true'], {});
      const { Id: id } = await client.call('containerCreate', {}, { body });
      assert.deepEqual(await links(), []);
      await client.act('containerStart', { id });
      await client.call('containerWait', { id });
      await client.act('containerRemove', { id });
      await until('no link was made ahead', async () => (await links()).length > 2);
      await engine[end]();
      await until('a link is left', async () => (await links()).length === 0);
    } finally {
      closeSync(network);
    }
  });
