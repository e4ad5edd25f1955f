import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import test from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { startEngine, type TestEngine } from '../../workshop/testing/engine.ts';
import { createBody } from '../api/create.ts';
import type { ExecCreateBody } from '../api/wire/exec.ts';
import type { HealthConfig } from '../api/wire/host-config.ts';
import { startExec } from '../client/attach.ts';
import { identifyProcess } from '../host/processes.ts';

const FOREVER = ['sleep', '1000'];

async function startContainer({ client }: TestEngine, health?: HealthConfig): Promise<string> {
  const body = {
    ...createBody('busybox', FOREVER, {}),
    ...(health === undefined ? {} : { Healthcheck: health }),
  };
  const { Id } = await client.call('containerCreate', {}, { body });
  await client.act('containerStart', { id: Id });
  return Id;
}

async function createExec({ client }: TestEngine, id: string, body: ExecCreateBody): Promise<string> {
  return (await client.call('execCreate', { id }, { body })).Id;
}

async function startDetached({ client }: TestEngine, id: string): Promise<void> {
  (await client.bytes('execStart', { id }, { body: { Detach: true } })).resume();
}

/** Waits for what no event tells of. */
async function until<T>(look: () => T | Promise<T>): Promise<NonNullable<T>> {
  for (;;) {
    const found = await look();
    if (found) return found;
    await delay(10);
  }
}

const pidOf = ({ client }: TestEngine, id: string) =>
  until(async () => (await client.call('execInspect', { id })).Pid);

/** Runtimes that wait for the end of an exec of this engine. */
function waiters({ runDir }: TestEngine): readonly string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      return (
        /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(join(runDir, 'execs'))
      );
    } catch {
      return false;
    }
  });
}

test('an engine that is killed forgets execs; they go on at most until their container ends', async () => {
  await using engine = await startEngine();
  const { client } = engine;
  const container = await startContainer(engine);
  const unstarted = await createExec(engine, container, { Cmd: ['true'] });
  const detached = await createExec(engine, container, { Cmd: FOREVER });
  await startDetached(engine, detached);
  const attached = await createExec(engine, container, {
    Cmd: ['cat'],
    AttachStdin: true,
    AttachStdout: true,
  });
  const streams = await startExec(client, { id: attached, tty: false });
  const typed = await createExec(engine, container, { Cmd: FOREVER, AttachStdout: true, Tty: true });
  const terminal = await startExec(client, { id: typed, tty: true });
  const [alive, reading, onTerminal] = [
    await pidOf(engine, detached),
    await pidOf(engine, attached),
    await pidOf(engine, typed),
  ];
  await engine.kill();
  streams.close();
  terminal.close();
  await engine.start();
  for (const id of [unstarted, detached, attached])
    await assert.rejects(client.call('execInspect', { id }), /No such exec instance/);
  assert.equal((await client.call('containerInspect', { id: container })).State.Status, 'running');
  assert.ok(identifyProcess(alive));
  // Its input has ended, and its terminal is gone.
  await until(() => identifyProcess(reading) === undefined);
  await until(() => identifyProcess(onTerminal) === undefined);
  const next = await createExec(engine, container, { Cmd: ['true'] });
  await startDetached(engine, next);
  await until(async () => (await client.call('execInspect', { id: next })).ExitCode === 0);
  await client.act('containerKill', { id: container });
  await client.call('containerWait', { id: container });
  await until(() => identifyProcess(alive) === undefined);
  await until(() => waiters(engine).length === 0);
  assert.deepEqual(readdirSync(join(engine.runDir, 'execs')), []);
});

test('the streams of an exec', async (t) => {
  await using engine = await startEngine();
  const { client } = engine;
  const container = await startContainer(engine);

  await t.test('what nobody reads holds its program up, and is neither kept nor lost', async () => {
    const bytes = 20_000_000;
    const id = await createExec(engine, container, {
      Cmd: ['head', '-c', String(bytes), '/dev/zero'],
      AttachStdout: true,
      AttachStderr: true,
    });
    const { output, close } = await startExec(client, { id, tty: false });
    let read = 0;
    for await (const { data } of output) {
      // The rest waits in the program: what stands between are pipes and sockets.
      if (read === 0) assert.equal((await client.call('execInspect', { id })).Running, true);
      read += data.length;
    }
    assert.equal(read, bytes);
    assert.equal((await client.call('execInspect', { id })).ExitCode, 0);
    close();
  });

  await t.test("the host's null device stays the host's", async () => {
    const id = await createExec(engine, container, { Cmd: ['true'], User: '4321' });
    await startDetached(engine, id);
    await until(async () => (await client.call('execInspect', { id })).ExitCode === 0);
    assert.notEqual(statSync('/dev/null').uid, 4321);
  });
});

test('health goes on over a kill of the engine, and a probe that nobody waits for any more is ended', async () => {
  await using engine = await startEngine();
  const { client } = engine;
  const healthy = await startContainer(engine, { Test: ['CMD', 'true'], Interval: 300e6 });
  const hanging = await startContainer(engine, { Test: ['CMD', ...FOREVER], Interval: 1e6 });
  const healthOf = async (id: string) => (await client.call('containerInspect', { id })).State.Health;
  await until(async () => (await healthOf(healthy))?.Status === 'healthy');
  const probe = await until(() => probeOf(engine, hanging));
  const before = (await healthOf(healthy))?.Log.at(-1)?.End ?? '';
  await engine.kill();
  assert.ok(identifyProcess(probe));
  await engine.start();
  assert.equal((await healthOf(healthy))?.Status, 'healthy');
  await until(async () => ((await healthOf(healthy))?.Log.at(-1)?.End ?? '') > before);
  await until(() => identifyProcess(probe) === undefined);
  const later = await until(() => probeOf(engine, hanging));
  await client.act('containerKill', { id: hanging });
  await client.call('containerWait', { id: hanging });
  await until(() => identifyProcess(later) === undefined);
});

/** The process of the probe that runs, as the engine has written it down. */
function probeOf({ root }: TestEngine, containerId: string): number | undefined {
  using database = new DatabaseSync(join(root, 'berth.db'), { readOnly: true });
  const row = database.prepare('SELECT state FROM container_health WHERE container_id = ?').get(containerId);
  const state = JSON.parse(String(row?.state ?? '{}')) as { readonly probing?: { readonly pid: number } };
  return state.probing?.pid;
}
