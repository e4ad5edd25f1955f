import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import test from 'node:test';
import { promisify } from 'node:util';
import { startMortalEngine } from '../../workshop/testing/crash.ts';
import { block } from '../../workshop/testing/networks.ts';
import type { Client } from '../client/index.ts';

/**
 * Networks and volumes of an engine that is killed right before each of its steps, as in steps.test.ts. Two containers
 * run all the while, with a connection between them and one from the host that go through every death.
 */

const run = promisify(execFile);

type Work = {
  readonly prepare?: (client: Client) => Promise<unknown>;
  readonly act: (client: Client) => Promise<unknown>;
  /** Makes what may be half done, or not at all, as it was before `prepare`. */
  readonly clear: (client: Client) => Promise<unknown>;
};

const network = (name: string, third: number, more = {}) => ({
  body: { Name: name, IPAM: { Config: [{ Subnet: `${block}.${third}.0/24` }] }, ...more },
});
const guest = { Container: 'guest' };
const volume = { Name: 'made' };
const inMemory = { ...volume, DriverOpts: { type: 'tmpfs', device: 'tmpfs', o: 'size=1m' } };
/** Nothing where it is gone. */
const gone = (call: Promise<unknown>) =>
  call.catch((error: { code?: string }) => assert.equal(error.code, 'notFound'));

const connectGuest = (client: Client) =>
  client.act('networkConnect', { id: 'back' }, { body: { ...guest, EndpointConfig: { Aliases: ['uno'] } } });
const disconnectGuest = (client: Client) => client.act('networkDisconnect', { id: 'back' }, { body: guest });
const makeNetwork = (client: Client) => client.call('networkCreate', {}, network('made', 3));
const removeNetwork = (client: Client) => gone(client.act('networkRemove', { id: 'made' }));
const removeVolume = (client: Client) => gone(client.act('volumeRemove', { name: 'made' }));
const makeVolume = (client: Client) => client.call('volumeCreate', {}, { body: inMemory });

const works: Readonly<Record<string, Work>> = {
  'network create': { act: makeNetwork, clear: removeNetwork },
  'network rm': { prepare: makeNetwork, act: removeNetwork, clear: removeNetwork },
  'network connect': {
    act: connectGuest,
    clear: (client) => disconnectGuest(client).catch(() => undefined),
  },
  'network disconnect': {
    prepare: connectGuest,
    act: disconnectGuest,
    clear: (client) => disconnectGuest(client).catch(() => undefined),
  },
  'volume create': { act: makeVolume, clear: removeVolume },
  'volume rm': { prepare: makeVolume, act: removeVolume, clear: removeVolume },
};

test('killed at any step of work on networks and volumes, the engine comes back with it done or not done, and connections go on', async (t) => {
  await using mortal = await startMortalEngine();
  const { engine, dieAt } = mortal;
  const { client } = engine;
  await client.call('networkCreate', {}, network('front', 1));
  await client.call('networkCreate', {}, network('back', 2));
  const guestId = await echoing(client, 'guest', 'front');
  const peerId = await echoing(client, 'peer', 'front');
  await client.act('networkConnect', { id: 'back' }, { body: { Container: peerId } });
  const peers: Readonly<Record<string, string>> = { front: `${block}.1.3`, back: `${block}.2.2` };
  const gateways: Readonly<Record<string, string>> = { front: `${block}.1.1`, back: `${block}.2.1` };
  const pathOf = (id: string) => join(engine.runDir, 'containers', id, 'netns');
  const inside = async (...command: readonly string[]) =>
    (await run('nsenter', [`--net=${pathOf(guestId)}`, ...command])).stdout;
  const inspected = () => client.call('containerInspect', { id: guestId });
  const port = Number((await inspected()).NetworkSettings.Ports?.['80/tcp']?.[0]?.HostPort);

  const between = openLine('nsenter', [
    `--net=${pathOf(guestId)}`,
    'socat',
    '-',
    `TCP:${peers.front}:80,retry=50`,
  ]);
  const published = openLine('socat', ['-', `TCP:127.0.0.1:${port},retry=50`]);
  await using _lines = {
    [Symbol.asyncDispose]: async () => void [between, published].map((line) => line.end()),
  };

  const lives = async (where: string) => {
    await between.echoes(where);
    await published.echoes(where);
  };
  /** All that the kernel and files have of networks says the same as the engine. */
  const networksAreWhole = async (where: string) => {
    assert.equal(await answerOf(port), 'word', `a new connection ${where}`);
    const { Networks = {} } = (await inspected()).NetworkSettings;
    const names = Object.keys(Networks).toSorted();
    assert.deepEqual(names, names.includes('back') ? ['back', 'front'] : ['front'], where);
    const told = Object.values(Networks).map(({ IPAddress }) => IPAddress);
    // Names of the peer, and the way there, on each.
    const asked = names.map(
      (on) => `busybox nslookup peer.${on} 127.0.0.11 && busybox ping -c 1 -W 20 ${peers[on]}`,
    );
    const shown = await inside(
      'sh',
      '-ec',
      ['ip -oneline link', 'ip -4 -oneline addr', 'ip route', ...asked].join('\n'),
    );
    const found = (pattern: RegExp) => [...shown.matchAll(pattern)].map(([, one = '']) => one);
    assert.deepEqual(found(/inet (\S+)\/24 /g).toSorted(), told.toSorted(), `addresses ${where}`);
    assert.equal(found(/ link\/(ether)/g).length, names.length, `interfaces ${where}`);
    assert.deepEqual(found(/^default via (\S+) /gm), [gateways[names[0] ?? '']], where);
    for (const on of names) assert.match(shown, new RegExp(`Address:? .*${peers[on]}`), where);
    const { HostsPath = '' } = await inspected();
    const hosts = readFileSync(HostsPath, 'utf8').match(new RegExp(`^${block}\\S+`, 'gm')) ?? [];
    assert.deepEqual(hosts.toSorted(), told.toSorted(), `/etc/hosts ${where}`);

    const listed = await client.call('networkList', {});
    const bridges = readdirSync('/sys/class/net').filter((name) => aliasOf(name).startsWith(`${prefix} `));
    for (const name of bridges)
      assert.ok(
        listed.some((each) => aliasOf(name) === `${prefix} ${each.Name}`),
        `the bridge ${aliasOf(name)} ${where}`,
      );
    const ends = bridges.flatMap((name) => readdirSync(`/sys/class/net/${name}/brif`));
    assert.equal(ends.length, 2 + names.length, `ends of links ${where}`);
    const rules = (await run('nft', ['list', 'table', 'bridge', prefix])).stdout;
    const known = /set ports [^}]*elements = \{([^}]*)\}/.exec(rules)?.[1]?.match(/bv\w+/g) ?? [];
    assert.deepEqual(known.toSorted(), ends.toSorted(), `rules ${where}`);
  };
  const volumesAreWhole = async (where: string) => {
    const { Volumes } = await client.call('volumeList', {});
    const directories = readdirSync(join(engine.root, 'volumes')).filter((name) => name !== '.removing');
    assert.deepEqual(
      directories,
      Volumes?.map(({ Name }) => Name),
      `volumes ${where}`,
    );
    assert.deepEqual(readdirSync(join(engine.root, 'volumes', '.removing')), [], where);
  };
  const prefix = aliasOf(await bridgeOf(client, 'front')).split(' ')[0] ?? '';

  for (const [name, { prepare, act, clear }] of Object.entries(works)) {
    await prepare?.(client);
    await dieAt(0);
    await act(client);
    const steps = await dieAt(0);
    assert.ok(steps.length > 3, `only ${steps.length} steps of ${name} were seen`);
    await clear(client);
    // What is asked first changes nothing.
    const first = steps.findIndex((step) => step !== 'posix_spawn');
    for (const [index, step] of steps.entries()) {
      // And with the answer alone missing all is as before its last step.
      if (index < first || index === steps.length - 1) continue;
      const where = `before step ${index + 1} of ${steps.length} of ${name}, ${step}`;
      await prepare?.(client);
      await dieAt(index + 1);
      await act(client).catch(() => undefined);
      await engine.kill();
      await engine.start();
      await lives(where);
      await (name.startsWith('volume') ? volumesAreWhole : networksAreWhole)(where);
      await clear(client);
    }
    await networksAreWhole(`after ${name}`);
    await volumesAreWhole(`after ${name}`);
    t.diagnostic(`${name}: ${steps.length} steps`);
  }
});

async function echoing(client: Client, name: string, on: string): Promise<string> {
  const body = {
    Image: 'busybox',
    Cmd: ['nc', '-ll', '-p', '80', '-e', 'cat'],
    HostConfig: { NetworkMode: on, PortBindings: { '80/tcp': [{ HostPort: '' }] } },
  };
  const { Id } = await client.call('containerCreate', { name }, { body });
  await client.act('containerStart', { id: Id });
  return Id;
}

/** The interface of a network's bridge. */
async function bridgeOf(client: Client, name: string): Promise<string> {
  const { IPAM } = await client.call('networkInspect', { id: name });
  const routes = JSON.parse(
    (await run('ip', ['-json', 'route', 'show', IPAM.Config?.[0]?.Subnet ?? ''])).stdout,
  );
  return (routes as { dev: string }[])[0]?.dev ?? '';
}

function aliasOf(name: string): string {
  try {
    return readFileSync(`/sys/class/net/${name}/ifalias`, 'utf8').trim();
  } catch {
    // It went meanwhile.
    return '';
  }
}

/** A program that says back what it is told: a connection to an echo. */
function openLine(program: string, args: readonly string[]) {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  // One that has ended takes nothing: its lines say so.
  child.stdin.on('error', () => undefined);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  let words = 0;
  return {
    async echoes(where: string): Promise<void> {
      words += 1;
      child.stdin.write(`word ${words}\n`);
      assert.equal((await lines.next()).value, `word ${words}`, where);
    },
    end: () => child.kill('SIGKILL'),
  };
}

/** What a published port of an echo says to a word. */
async function answerOf(port: number): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port });
  socket.write('word');
  const [said] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return said.toString();
}
