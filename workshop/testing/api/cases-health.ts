import assert from 'node:assert/strict';
import type { Case } from './case.ts';
import { type Made, make, run } from './containers.ts';
import { ask, type Loose, type Subject } from './wire.ts';

const MS = 1e6;
const SLEEP = 'trap "exit 0" TERM; sleep 1000 & wait';

const checked = (test: readonly string[], more: Loose = {}) => ({
  Healthcheck: { Test: test, Interval: 100 * MS, Timeout: 20_000 * MS, Retries: 2, ...more },
});

/** Waits until the engine tells of a health that fits. */
async function healthWhen(made: Made, holds: (health: Loose) => boolean): Promise<Loose> {
  for (;;) {
    const { Health } = (await made.inspect()).State;
    if (holds(Health)) return Health;
  }
}

async function summaryOf(subject: Subject, made: Made, filters: Loose = {}): Promise<Loose | undefined> {
  const query = encodeURIComponent(JSON.stringify({ ...filters, id: [made.id] }));
  const [row] = (await ask(subject, `GET /v1.41/containers/json?all=1&filters=${query}`)).json();
  return row;
}

async function execute(subject: Subject, made: Made, script: string): Promise<void> {
  const body = { Cmd: ['sh', '-c', script] };
  const { Id } = (await ask(subject, `POST /v1.41/containers/${made.id}/exec`, { body })).json();
  await ask(subject, `POST /v1.41/exec/${Id}/start`, { body: { Detach: true } });
}

export const healthCases: Readonly<Record<string, Case>> = {
  'health goes from starting over unhealthy to healthy; probes, status, filter and events tell of it': async (
    subject,
  ) => {
    const since = Math.floor(Date.now() / 1000) - 1;
    const test = ['CMD-SHELL', 'echo out; echo err >&2; [ -e /ok ]'];
    await using made = await run(subject, SLEEP, checked(test, { Interval: 500 * MS }));
    const first = (await made.inspect()).State.Health;
    assert.deepEqual([first.Status, first.FailingStreak], ['starting', 0]);
    assert.match((await summaryOf(subject, made))?.Status, /^Up .+ \(health: starting\)$/);
    const failed = await healthWhen(made, ({ Status }) => Status === 'unhealthy');
    assert.ok(failed.FailingStreak >= 2);
    const [probe] = failed.Log;
    assert.equal(probe.ExitCode, 1);
    assert.match(probe.Output, /^(?:out\nerr\n|err\nout\n)$/);
    assert.ok(Date.parse(probe.Start) <= Date.parse(probe.End));
    assert.match((await summaryOf(subject, made))?.Status, /^Up .+ \(unhealthy\)$/);
    await execute(subject, made, 'echo > /ok');
    const well = await healthWhen(made, ({ Status }) => Status === 'healthy');
    assert.equal(well.FailingStreak, 0);
    assert.equal(well.Log.at(-1).ExitCode, 0);
    assert.match((await summaryOf(subject, made))?.Status, /^Up .+ \(healthy\)$/);
    assert.equal((await summaryOf(subject, made, { health: ['healthy'] }))?.Id, made.id);
    assert.equal(await summaryOf(subject, made, { health: ['unhealthy', 'starting', 'none'] }), undefined);
    const filters = encodeURIComponent(JSON.stringify({ container: [made.id], event: ['health_status'] }));
    const events = (
      await ask(subject, `GET /v1.41/events?since=${since}&until=${Date.now() / 1000}&filters=${filters}`)
    ).lines();
    assert.deepEqual(
      events.map(({ Action }) => Action),
      ['health_status: unhealthy', 'health_status: healthy'],
    );
    const { length } = (await healthWhen(made, ({ Log }) => Log.length >= 5)).Log;
    assert.equal(length, 5);
  },

  'a probe that hangs is killed when its time is over, and counts as failed': async (subject) => {
    const test = ['CMD-SHELL', 'sleep 4321; true'];
    await using made = await run(subject, SLEEP, checked(test, { Timeout: 300 * MS, Retries: 1 }));
    const { Log } = await healthWhen(made, ({ Status }) => Status === 'unhealthy');
    assert.equal(Log[0].ExitCode, -1);
    assert.equal(Log[0].Output, 'Health check exceeded timeout (300ms)');
    await healthWhen(made, (health) => health.Log.length >= 2);
    await ask(subject, `POST /v1.41/containers/${made.id}/pause`);
    const { Processes } = (await ask(subject, `GET /v1.41/containers/${made.id}/top`)).json();
    const left = Processes.map((row: string[]) => row.at(-1)).filter((line: string) => line === 'sleep 4321');
    // Of the probe that runs now. dockerd kills the shell of one alone, and leaves what that started.
    if (subject.name === 'berth') assert.ok(left.length <= 1, String(left));
    await ask(subject, `POST /v1.41/containers/${made.id}/unpause`);
  },

  'the output of a probe is cut at 4096 bytes': async (subject) => {
    const test = ['CMD', 'sh', '-c', 'head -c 10000 /dev/zero | tr "\\0" x; exit 5'];
    await using made = await run(subject, SLEEP, checked(test));
    const { Log } = await healthWhen(made, (health) => health.Log.length > 0);
    assert.deepEqual([Log[0].ExitCode, Log[0].Output], [5, `${'x'.repeat(4096)}...`]);
  },

  'failures of the start period do not count, and a program that is not there is a failure': async (
    subject,
  ) => {
    const more = { StartPeriod: 3600_000 * MS, StartInterval: 100 * MS };
    await using made = await run(subject, SLEEP, checked(['CMD', 'no-such-program'], more));
    const seen = await healthWhen(made, ({ Log }) => Log.length >= 3);
    assert.deepEqual([seen.Status, seen.FailingStreak], ['starting', 0]);
    assert.equal(seen.Log[0].ExitCode, -1);
    assert.match(seen.Log[0].Output, /"no-such-program": executable file not found in \$PATH/);
  },

  'a container without a check, and one whose check is NONE, has no health': async (subject) => {
    for (const more of [{}, { Healthcheck: { Test: ['NONE'] } }]) {
      await using made = await run(subject, SLEEP, more);
      assert.equal((await made.inspect()).State.Health, undefined);
      assert.match((await summaryOf(subject, made))?.Status, /^Up [^(]+$/);
      assert.equal((await summaryOf(subject, made, { health: ['none'] }))?.Id, made.id);
    }
    const wrong = await ask(subject, `GET /v1.41/containers/json?filters={"health":["bogus"]}`);
    assert.equal(wrong.status, 400);
  },

  'a paused container is not probed; one that was stopped is unhealthy, and starts anew with its log': async (
    subject,
  ) => {
    await using made = await make(subject, ['sh', '-c', SLEEP], checked(['CMD', 'true']));
    assert.equal((await made.inspect()).State.Health, undefined);
    await made.start();
    await healthWhen(made, ({ Status }) => Status === 'healthy');
    await ask(subject, `POST /v1.41/containers/${made.id}/pause`);
    const frozen = (await made.inspect()).State.Health;
    assert.equal(frozen.Status, 'unhealthy');
    await new Promise((resolve) => setTimeout(resolve, 400));
    assert.deepEqual((await made.inspect()).State.Health, frozen);
    assert.match((await summaryOf(subject, made))?.Status, /^Up .+ \(Paused\)$/);
    await ask(subject, `POST /v1.41/containers/${made.id}/unpause`);
    await healthWhen(made, ({ Status }) => Status === 'healthy');
    await ask(subject, `POST /v1.41/containers/${made.id}/stop?t=0`);
    const stopped = (await made.inspect()).State.Health;
    assert.equal(stopped.Status, 'unhealthy');
    assert.match((await summaryOf(subject, made))?.Status, /^Exited .+ ago$/);
    await made.start();
    const { Health } = (await made.inspect()).State;
    assert.ok(Health.Log.length > 0);
    await healthWhen(made, ({ Status }) => Status === 'healthy');
  },
};
