import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { startMortalEngine } from '../../workshop/testing/crash.ts';
import { held } from '../../workshop/testing/held.ts';
import { createBody } from '../api/create.ts';
import type { Client } from '../client/index.ts';
import { identifyProcess } from '../host/processes.ts';

/**
 * An engine that is killed right before each of its steps, in turn: whatever is seen outside of the process and
 * outlives it (files, rows, mounts, programs, messages to the kernel, answers). After the next start everything is
 * either as it was before the request or as it was asked for, nothing of the kernel's is without its container, and
 * the container can be used or removed.
 */

type Work = {
  /** Done before, undisturbed; gives what `act` works on. */
  readonly prepare: (client: Client) => Promise<string>;
  readonly act: (client: Client, id: string) => Promise<unknown>;
  /** Another that it begins with: steps of that one were tried there. */
  readonly beginsWith?: string;
  /** What a container may be afterwards; `gone` for no container. */
  readonly leaves: readonly string[];
};

// With a volume, in which what the image has there is.
const sleeper = createBody('busybox', ['sleep', '1000'], { volume: ['/usr'] });

async function made(client: Client, body = sleeper): Promise<string> {
  return (await client.call('containerCreate', {}, { body })).Id;
}

async function running(client: Client): Promise<string> {
  const id = await made(client);
  await client.act('containerStart', { id });
  return id;
}

const works: Readonly<Record<string, Work>> = {
  create: {
    prepare: async () => '',
    act: (client) => made(client),
    leaves: ['gone', 'created'],
  },
  start: {
    prepare: (client) => made(client),
    act: (client, id) => client.act('containerStart', { id }),
    leaves: ['created', 'running'],
  },
  stop: {
    prepare: running,
    act: (client, id) => client.act('containerStop', { id, timeout: 0 }),
    leaves: ['running', 'exited'],
  },
  exec: {
    prepare: running,
    act: async (client, id) => {
      const body = { Cmd: ['sh', '-c', 'echo out; read line'], AttachStdin: true, AttachStdout: true };
      const { Id: exec } = await client.call('execCreate', { id }, { body });
      const streams = await client.upgrade(
        'execStart',
        { id: exec },
        { body: { Detach: false, Tty: false } },
      );
      streams.end();
      for await (const _output of streams);
      await client.call('execInspect', { id: exec });
    },
    leaves: ['running'],
  },
  commit: {
    prepare: async (client) => {
      const id = await made(client, createBody('busybox', ['sh', '-c', 'echo kept > /file; sleep 1000'], {}));
      await client.act('containerStart', { id });
      return id;
    },
    act: (client, id) => client.call('containerCommit', { container: id, repo: 'made', tag: 'here' }),
    leaves: ['running'],
  },
  remove: {
    prepare: async (client) => {
      const id = await running(client);
      await client.act('containerKill', { id });
      await client.call('containerWait', { id });
      return id;
    },
    act: (client, id) => client.act('containerRemove', { id, volumes: true }),
    leaves: ['exited', 'gone'],
  },
  'a run to its end that removes itself': {
    beginsWith: 'start',
    prepare: (client) => made(client, createBody('busybox', ['true'], { rm: true })),
    act: async (client, id) => {
      const { answer } = await client.begin('containerWait', { id, condition: 'removed' });
      await client.act('containerStart', { id });
      await answer;
    },
    leaves: ['created', 'gone'],
  },
};

/** How many steps each has. */
const counts = new Map<string, number>();
/** A few that were tried before are tried again: what ends by itself may be a little ahead. */
const AGAIN = 5;

for (const [name, { prepare, act, beginsWith = '', leaves }] of Object.entries(works)) {
  test(`killed at any step of ${name}, the engine comes back with it done or not done`, async (t) => {
    await using mortal = await startMortalEngine();
    const { engine, dieAt } = mortal;
    const { client } = engine;
    const pulled = stored(engine.root);

    const clear = async () => {
      for (const { Id } of await client.call('containerList', { all: true }))
        await client.act('containerRemove', { id: Id, force: true, volumes: true });
      assert.deepEqual(volumes(engine.root), [], 'volumes after removal');
      for (const [what, ids] of Object.entries(held(engine)))
        assert.deepEqual(ids, [], `${what} after removal`);
      for (const { Id, RepoTags } of await client.call('imageList', {}))
        if (!RepoTags?.includes('busybox:latest'))
          await client.call('imageRemove', { name: Id, force: true });
      assert.deepEqual(stored(engine.root), pulled, 'layers and blobs after removal');
    };

    const whole = await prepare(client);
    await dieAt(0);
    await act(client, whole);
    const steps = await dieAt(0);
    assert.ok(steps.length > 5, `only ${steps.length} steps were seen`);
    await clear();

    counts.set(name, steps.length);
    const tried = Math.max(0, (counts.get(beginsWith) ?? 0) - AGAIN);
    for (const [index, step] of steps.entries()) {
      if (index < tried) continue;
      const where = `before step ${index + 1} of ${steps.length}, ${step}`;
      const id = await prepare(client);
      await dieAt(index + 1);
      await act(client, id).catch(() => undefined);
      // It has died by itself, or the step came elsewhere this time: then it dies here.
      await engine.kill();
      await engine.start();
      await settled(client, name.includes('to its end') ? 'removed' : 'not-running');
      const all = await client.call('containerList', { all: true });
      const found = all.map(({ State }) => State)[0] ?? 'gone';
      const [first] = await Promise.all(all.map(({ Id }) => client.call('containerInspect', { id: Id })));
      assert.ok(leaves.includes(found), `${found} ${where}: ${first?.State.Error}`);
      const ids = all.map(({ Id }) => Id);
      // Each is whole, and has a container.
      const { Volumes } = await client.call('volumeList', {});
      assert.deepEqual(
        volumes(engine.root),
        Volumes?.map(({ Name }) => Name),
        `volumes ${where}`,
      );
      for (const { Name, Mountpoint } of Volumes ?? []) {
        assert.deepEqual(readdirSync(join(Mountpoint, 'bin')), ['env'], `content of a volume ${where}`);
        const [user] = await client.call('containerList', { all: true, filter: { volume: [Name] } });
        assert.ok(user !== undefined, `a volume without a container ${where}`);
      }
      const live = all.flatMap(({ Id, State }) => (State === 'running' ? [Id] : []));
      const { directories, 'exit files': exits, ...ofRuns } = held(engine);
      assert.deepEqual(directories, ids, `directories ${where}`);
      assert.deepEqual(exits, [], `exit files ${where}`);
      for (const [what, owners] of Object.entries(ofRuns)) assert.deepEqual(owners, live, `${what} ${where}`);
      await clear();
    }
    t.diagnostic(`${steps.length} steps`);
  });
}

/** Layers, blobs and what is still being made of them. */
function stored(root: string): readonly string[] {
  return ['layers', 'content/blobs/sha256', 'content/ingest'].flatMap((directory) =>
    readdirSync(join(root, directory)).map((name) => `${directory}/${name}`),
  );
}

/** Directories of volumes, and what is still being removed of them. */
function volumes(root: string): readonly string[] {
  const removing = readdirSync(join(root, 'volumes', '.removing'));
  return [...readdirSync(join(root, 'volumes')).filter((name) => name !== '.removing'), ...removing];
}

/**
 * Waits until nothing goes on by itself: what is about to be seen to have ended, or to be `removed`, is, and what is
 * being taken away of one that ended is gone.
 */
async function settled(client: Client, condition: 'not-running' | 'removed'): Promise<void> {
  for (const { Id: id, State } of await client.call('containerList', { all: true })) {
    const { Pid = 0 } = (await client.call('containerInspect', { id })).State;
    const ends = condition === 'removed' || identifyProcess(Pid) === undefined;
    if (State === 'running' && ends) await client.call('containerWait', { id, condition });
    // It takes its turn, and changes nothing.
    if (condition === 'not-running' && (State !== 'running' || ends))
      await client.act('containerStop', { id });
  }
}
