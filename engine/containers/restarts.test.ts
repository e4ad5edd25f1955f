import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { openTestContainers, type TestContainers } from '../../workshop/testing/containers.ts';
import type { ContainerState } from '../api/wire.ts';
import { unmount } from '../host/syscalls.ts';

type Policy = 'no' | 'always' | 'unless-stopped' | 'on-failure';

async function make(
  fixture: TestContainers,
  options: {
    readonly policy: Policy;
    readonly retries?: number;
    readonly script?: string;
    readonly name?: string;
  },
): Promise<string> {
  const { policy, retries = 0, script = 'sleep 1000', name } = options;
  const RestartPolicy = { Name: policy, MaximumRetryCount: retries };
  const body = { Image: 'busybox', Cmd: ['sh', '-c', script], HostConfig: { RestartPolicy } };
  const { Id } = await fixture.containers.create(body, { name });
  await fixture.containers.start(Id);
  return Id;
}

/** Looks until a container is as it should be. */
async function until(
  fixture: TestContainers,
  id: string,
  holds: (state: ContainerState, count: number) => boolean,
): Promise<{ readonly state: ContainerState; readonly count: number }> {
  for (let looks = 0; ; looks += 1) {
    const { State: state, RestartCount: count } = await fixture.containers.inspect(id);
    if (holds(state, count)) return { state, count };
    assert.ok(looks < 1000, `still ${JSON.stringify({ state, count })}`);
    await delay(20);
  }
}

/** Looks until nothing of a run is left: that a run has ended is said a little before. */
async function untilLetGo(fixture: TestContainers): Promise<void> {
  for (let looks = 0; fixture.left().length > 0; looks += 1) {
    assert.ok(looks < 500, fixture.left().join('\n'));
    await delay(20);
  }
}

/** What comes of a container's log, followed to its end. */
async function textOf(fixture: TestContainers, id: string, onText?: () => void): Promise<string> {
  const query = { follow: true, stdout: true, stderr: true };
  const { output } = fixture.containers.logs(id, query, new AbortController().signal);
  let text = '';
  for await (const { data } of output) {
    text += data.toString('utf8');
    onText?.();
  }
  return text;
}

/** What a power cut does: the processes are gone, and with them mounts, namespaces and the run directory. */
async function cutPower(fixture: TestContainers): Promise<void> {
  fixture.containers.close();
  for (const { Id } of await fixture.containers.list({})) {
    const bundle = join(fixture.root, 'run/containers', Id);
    const pid = (await fixture.containers.inspect(Id)).State.Pid;
    for (const one of [Number(readFileSync(join(bundle, 'conmon.pid'), 'utf8')), pid])
      process.kill(one, 'SIGKILL');
    unmount(join(fixture.root, 'containers', Id, 'rootfs'), { detach: true });
    // One that joined another's has none of its own.
    if (existsSync(join(bundle, 'netns'))) unmount(join(bundle, 'netns'), { detach: true });
  }
  rmSync(join(fixture.root, 'run'), { recursive: true });
  mkdirSync(join(fixture.root, 'run'));
}

test('on-failure tries as often as it was told, after pauses that double', { timeout: 60_000 }, async () => {
  await using fixture = await openTestContainers();
  const began = performance.now();
  const id = await make(fixture, { policy: 'on-failure', retries: 3, script: 'exit 5' });
  const { state, count } = await until(fixture, id, ({ Status }) => Status === 'exited');
  assert.deepEqual([state.ExitCode, state.Restarting, count], [5, false, 3]);
  assert.ok(performance.now() - began >= 100 + 200 + 400, 'it did not pause');
  await untilLetGo(fixture);
  await fixture.containers.start(id);
  assert.ok((await fixture.containers.inspect(id)).RestartCount < 3, 'a start by hand counts anew');
});

test('an end that a policy has no interest in is one', { timeout: 60_000 }, async () => {
  await using fixture = await openTestContainers();
  const well = await make(fixture, { policy: 'on-failure', script: 'true' });
  assert.equal((await until(fixture, well, ({ Status }) => Status === 'exited')).count, 0);
  for (const policy of ['always', 'unless-stopped', 'on-failure'] as const) {
    const id = await make(fixture, { policy });
    await fixture.containers.kill(id, {});
    assert.equal((await until(fixture, id, ({ Status }) => Status === 'exited')).count, 0, policy);
  }
});

test('between two runs a container is restarting, and a stop ends that at once', {
  timeout: 60_000,
}, async () => {
  await using fixture = await openTestContainers();
  const { containers } = fixture;
  const id = await make(fixture, { policy: 'always', script: 'exit 3' });
  // By the fourth the pause is 800 ms: long enough to look at it.
  const { state } = await until(fixture, id, (now, count) => now.Status === 'restarting' && count >= 4);
  assert.deepEqual([state.Running, state.Restarting, state.Pid, state.ExitCode], [true, true, 0, 3]);
  const [row] = await containers.list({});
  assert.match(row?.Status ?? '', /^Restarting \(3\) /);
  assert.equal(await containers.start(id), false);
  await assert.rejects(containers.pause(id), /is restarting, wait until the container is running/);
  await assert.rejects(containers.remove(id, {}), /You cannot remove a restarting container/);
  const ended = containers.wait(id, 'not-running', AbortSignal.timeout(10_000));
  assert.equal(await containers.stop(id, {}), true);
  assert.deepEqual(await ended, { StatusCode: 3 });
  assert.equal(await containers.stop(id, {}), false);
  assert.equal((await containers.inspect(id)).State.Status, 'exited');
  await containers.start(id);
  await until(fixture, id, (now, count) => now.Status === 'restarting' && count >= 3);
  await containers.remove(id, { force: true });
  assert.deepEqual(fixture.left(), []);
});

test('an engine that was killed during the pause starts the container after it', {
  timeout: 60_000,
}, async () => {
  await using fixture = await openTestContainers();
  const id = await make(fixture, { policy: 'always', script: 'exit 3' });
  const { count } = await until(fixture, id, (now, times) => now.Status === 'restarting' && times >= 4);
  await untilLetGo(fixture);
  const later = await fixture.reopen();
  assert.ok((await later.inspect(id)).RestartCount >= count);
  await until(fixture, id, (_now, times) => times > count);
  await later.stop(id, {});
  await fixture.reopen();
  await until(fixture, id, ({ Status }) => Status === 'restarting' || Status === 'running');
});

test('an end while the engine was away is followed by a restart', { timeout: 60_000 }, async () => {
  await using fixture = await openTestContainers();
  const id = await make(fixture, { policy: 'on-failure', retries: 5, script: 'sleep 0.5; exit 3' });
  fixture.containers.close();
  await delay(1_500);
  await fixture.reopen();
  await until(fixture, id, (_now, count) => count >= 1);
});

test('after a power cut those run again that their policies want up', { timeout: 120_000 }, async () => {
  await using fixture = await openTestContainers();
  const policies = ['no', 'always', 'unless-stopped', 'on-failure'] as const;
  for (const policy of policies) {
    await make(fixture, { policy, name: `${policy}-ran` });
    const id = await make(fixture, { policy, name: `${policy}-stopped` });
    await fixture.containers.stop(id, { timeout: 0 });
  }
  const body = { Image: 'busybox', HostConfig: { RestartPolicy: { Name: 'always', MaximumRetryCount: 0 } } };
  await fixture.containers.create(body, { name: 'never-started' });
  const joined = { ...body.HostConfig, NetworkMode: 'container:always-ran' };
  await fixture.containers.create(
    { ...body, Cmd: ['sleep', '1000'], HostConfig: joined },
    { name: 'joined' },
  );
  await fixture.containers.start('joined');
  await cutPower(fixture);
  await fixture.reopen();
  for (const name of ['always-ran', 'joined', 'always-stopped', 'unless-stopped-ran', 'on-failure-ran'])
    await until(fixture, name, ({ Status }) => Status === 'running');
  const rest = ['no-ran', 'no-stopped', 'unless-stopped-stopped', 'on-failure-stopped', 'never-started'];
  const states = await Promise.all(rest.map((name) => fixture.containers.inspect(name)));
  assert.deepEqual(
    states.map(({ State }) => [State.Status, State.ExitCode]),
    [
      ['exited', 255],
      ['exited', 137],
      ['exited', 137],
      ['exited', 137],
      ['created', 0],
    ],
  );
});

/** Containers of which none can be started from when `fail` is set. */
const openFailing = (starts: { readonly fail: boolean }) =>
  openTestContainers((parts) => ({
    ...parts,
    runtime: {
      ...parts.runtime,
      async start(id) {
        if (starts.fail) throw new Error('boom');
        await parts.runtime.start(id);
      },
    },
  }));

test('a restart that fails leaves it exited, with the reason', { timeout: 60_000 }, async () => {
  const starts = { fail: false };
  await using fixture = await openFailing(starts);
  const id = await make(fixture, { policy: 'always', script: 'sleep 0.3; exit 3' });
  starts.fail = true;
  const { state } = await until(fixture, id, ({ Status }) => Status === 'exited');
  assert.deepEqual([state.ExitCode, state.Error], [3, 'boom']);
  await untilLetGo(fixture);
});

test('who follows the logs sees every run of a restart policy, and the end of the last', {
  timeout: 60_000,
}, async () => {
  await using fixture = await openTestContainers();
  const id = await make(fixture, { policy: 'on-failure', retries: 2, script: 'echo run; sleep 0.2; exit 1' });
  assert.equal(await textOf(fixture, id), 'run\nrun\nrun\n');
});

test('who follows the logs is let go where a restart fails', { timeout: 60_000 }, async () => {
  const starts = { fail: false };
  await using fixture = await openFailing(starts);
  const id = await make(fixture, { policy: 'no', script: 'echo run; sleep 1000' });
  const begun = Promise.withResolvers<void>();
  const following = textOf(fixture, id, begun.resolve);
  await begun.promise;
  starts.fail = true;
  await assert.rejects(fixture.containers.restart(id, { timeout: 0 }), /boom/);
  assert.equal(await following, 'run\n');
});
