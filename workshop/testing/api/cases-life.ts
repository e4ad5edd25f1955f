import assert from 'node:assert/strict';
import type { Case } from './case.ts';
import { linesOf, type Made, make, NETWORKED, ran, run, uniqueName } from './containers.ts';
import { ask, begin, differs, type Loose, type Subject } from './wire.ts';

const act = async (subject: Subject, made: Pick<Made, 'id'>, what: string) => {
  const { status, text } = await ask(subject, `POST /v1.41/containers/${made.id}/${what}`);
  return { status, message: text.startsWith('{') ? (JSON.parse(text).message as string) : text };
};

/** Looks until a container is as it should be. */
async function until(made: Made, holds: (container: Loose) => boolean): Promise<Loose> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    const container = await made.inspect();
    if (holds(container)) return container;
    if (Date.now() > deadline) throw new Error(`still ${JSON.stringify(container.State)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const policy = (Name: string, MaximumRetryCount = 0) => ({
  HostConfig: { RestartPolicy: { Name, MaximumRetryCount } },
});
const notPaused = {
  berth: 409,
  dockerd: 500,
  because: 'dockerd 20.10 calls it internal that there is nothing to unpause; later ones answer 409',
} as const;

export const lifeCases: Readonly<Record<string, Case>> = {
  'a paused container runs and does nothing, and what needs it to go on is refused': async (subject) => {
    await using made = await run(subject, 'while :; do echo tick; sleep 0.05; done');
    assert.deepEqual(await act(subject, made, 'pause'), { status: 204, message: '' });
    const { State } = await made.inspect();
    assert.deepEqual([State.Status, State.Running, State.Paused], ['paused', true, true]);
    assert.ok(State.Pid > 1);
    const logged = async () =>
      (await ask(subject, `GET /v1.41/containers/${made.id}/logs?stdout=1`)).text.length;
    // What it wrote just before may still be on its way; then nothing follows, for the time of ten ticks.
    let still = false;
    for (let looks = 0; !still && looks < 20; looks += 1) {
      const before = await logged();
      await new Promise((resolve) => setTimeout(resolve, 500));
      still = (await logged()) === before;
    }
    assert.ok(still, 'it goes on writing');
    const query = encodeURIComponent(JSON.stringify({ status: ['paused'], id: [made.id] }));
    const [row] = (await ask(subject, `GET /v1.41/containers/json?filters=${query}`)).json();
    assert.equal(row.State, 'paused');
    assert.match(row.Status, /^Up .* \(Paused\)$/);
    const again = await act(subject, made, 'pause');
    assert.deepEqual([again.status, again.message], [409, `Container ${made.id} is already paused`]);
    const start = await act(subject, made, 'start');
    assert.deepEqual(
      [start.status, start.message],
      [409, 'cannot start a paused container, try unpause instead'],
    );
    const attach = await act(subject, made, 'attach?stdout=1&stream=1');
    assert.equal(attach.status, 409);
    assert.match(attach.message, /is paused, unpause the container before attach/);
    const remove = await ask(subject, `DELETE /v1.41/containers/${made.id}`);
    assert.equal(remove.status, 409);
    assert.match(remove.json().message, /You cannot remove a paused container .* Unpause and then stop/);
    assert.deepEqual(await act(subject, made, 'unpause'), { status: 204, message: '' });
    assert.equal((await made.inspect()).State.Status, 'running');
    const nothing = await act(subject, made, 'unpause');
    assert.equal(nothing.status, differs(subject, notPaused));
    assert.match(nothing.message, /is not paused/);
  },
  'pause wants a running container': async (subject) => {
    await using made = await make(subject, ['true']);
    const pause = await act(subject, made, 'pause');
    assert.deepEqual([pause.status, pause.message], [409, `Container ${made.id} is not running`]);
    assert.equal((await act(subject, made, 'unpause')).status, differs(subject, notPaused));
    for (const what of ['pause', 'unpause', 'rename?name=other'])
      assert.equal((await act(subject, { id: 'nobody' }, what)).status, 404, what);
  },
  'a paused container is stopped, restarted, killed and removed as any other': async (subject) => {
    await using made = await run(subject, 'trap "exit 3" TERM; echo up; while :; do sleep 0.05; done');
    // Before its trap is set, the first process of a container does not hear a signal.
    while (!(await linesOf(subject, made.id)).includes('up'));
    await act(subject, made, 'pause');
    assert.equal((await act(subject, made, 'stop?t=20')).status, 204);
    assert.deepEqual((await made.inspect()).State.ExitCode, 3);
    await made.start();
    await act(subject, made, 'pause');
    assert.equal((await act(subject, made, 'restart?t=0')).status, 204);
    assert.equal((await made.inspect()).State.Status, 'running');
    await act(subject, made, 'pause');
    assert.equal((await act(subject, made, 'kill')).status, 204);
    assert.equal(await made.ended(), 137);
    await made.start();
    await act(subject, made, 'pause');
    assert.equal((await ask(subject, `DELETE /v1.41/containers/${made.id}?force=1`)).status, 204);
  },
  'rename gives another name, one that is nobody’s': async (subject) => {
    await using made = await make(subject, ['true']);
    await using other = await make(subject, ['true']);
    const newName = uniqueName('renamed');
    const rename = (name: string) => act(subject, made, `rename?name=${encodeURIComponent(name)}`);
    assert.deepEqual(await rename(newName), { status: 204, message: '' });
    assert.equal((await ask(subject, `GET /v1.41/containers/${newName}/json`)).json().Name, `/${newName}`);
    assert.equal((await ask(subject, `GET /v1.41/containers/${made.name}/json`)).status, 404);
    const taken = await rename(other.name);
    assert.equal(taken.status, 409);
    assert.match(
      taken.message,
      new RegExp(`name "/${other.name}" is already in use by container "${other.id}"`),
    );
    const same = await rename(newName);
    assert.equal(same.status, 400);
    assert.match(same.message, /Renaming a container with the same name as its current name/);
    const empty = await rename('');
    assert.deepEqual([empty.status, empty.message], [400, 'Neither old nor new names may be empty']);
    for (const name of ['-x', 'a b', 'a/b', 'x'])
      assert.match((await rename(name)).message, /Invalid container name/, name);
    assert.equal((await rename(`/${made.name}`)).status, 204);
    assert.equal((await made.inspect()).Name, `/${made.name}`);
  },
  'a restart policy that makes no sense is refused': async (subject) => {
    const wrong: readonly (readonly [object, RegExp])[] = [
      [{ RestartPolicy: { Name: 'sometimes' } }, /invalid restart policy '?sometimes'?/],
      [
        { RestartPolicy: { Name: 'always', MaximumRetryCount: 3 } },
        /maximum retry count.* cannot be used with/,
      ],
      [
        { RestartPolicy: { Name: 'on-failure', MaximumRetryCount: -1 } },
        /maximum retry count cannot be negative/,
      ],
      [
        { RestartPolicy: { Name: 'always' }, AutoRemove: true },
        /can't create 'AutoRemove' container with restart policy/,
      ],
    ];
    for (const [HostConfig, words] of wrong) {
      const body = { Image: 'busybox', Cmd: ['true'], HostConfig };
      const { status, json } = await ask(subject, 'POST /v1.41/containers/create', { body });
      assert.equal(status, 400);
      assert.match(json().message, words);
    }
    await using made = await make(subject, ['true'], policy('on-failure', 3));
    assert.deepEqual((await made.inspect()).HostConfig.RestartPolicy, {
      Name: 'on-failure',
      MaximumRetryCount: 3,
    });
  },
  'on-failure starts it again as often as it was told; wait hears the first end': async (subject) => {
    await using made = await make(subject, ['sh', '-c', 'exit 5'], policy('on-failure', 2));
    const first = begin(subject, `POST /v1.41/containers/${made.id}/wait?condition=next-exit`);
    const { body } = await first;
    await made.start();
    const { StatusCode } = JSON.parse((await body).toString());
    // dockerd may read it when the next run has begun.
    assert.ok(StatusCode === 5 || (subject.name === 'dockerd' && StatusCode === 0), String(StatusCode));
    const { State, RestartCount } = await until(made, ({ State: { Status } }) => Status === 'exited');
    assert.deepEqual([State.ExitCode, State.Restarting, RestartCount], [5, false, 2]);
  },
  'between two runs it is restarting, which counts as running': async (subject) => {
    await using made = await run(subject, 'exit 3', policy('always'));
    const { State } = await until(
      made,
      ({ State: { Status }, RestartCount }) => Status === 'restarting' && RestartCount >= 4,
    );
    assert.deepEqual(
      [State.Running, State.Restarting, State.Paused, State.Pid, State.ExitCode],
      [true, true, false, 0, 3],
    );
    assert.equal((await act(subject, made, 'stop')).status, 204);
    const stopped = (await made.inspect()).State;
    assert.deepEqual([stopped.Status, stopped.Running, stopped.ExitCode], ['exited', false, 3]);
    assert.equal((await act(subject, made, 'stop')).status, 304);
  },
  'a container that is killed is not started again by its policy': async (subject) => {
    for (const name of ['always', 'unless-stopped', 'on-failure']) {
      await using made = await run(subject, 'sleep 60', policy(name));
      assert.equal((await act(subject, made, 'kill')).status, 204);
      const { State, RestartCount } = await until(made, ({ State: { Running } }) => !Running);
      assert.deepEqual([State.Status, State.ExitCode, RestartCount], ['exited', 137, 0], name);
    }
  },
  'a signal that is not its stop signal leaves the policy in force': async (subject) => {
    const script = 'trap "exit 7" USR1; echo up; while :; do sleep 0.05; done';
    await using made = await run(subject, script, { ...policy('always'), StopSignal: 'SIGTERM' });
    await until(made, ({ State: { Running } }) => Running);
    for (let restarted = false; !restarted; ) {
      // The trap may not be set yet: the signal is sent until somebody heard it.
      await act(subject, made, 'kill?signal=USR1');
      restarted = (await made.inspect()).RestartCount > 0;
    }
  },
  'each condition of wait, on a container that is removed': async (subject) => {
    const conditions = ['not-running', 'next-exit', 'removed'];
    const waits = (made: Made) =>
      Promise.all(
        conditions.map((name) => begin(subject, `POST /v1.41/containers/${made.id}/wait?condition=${name}`)),
      );
    const answers = async (waiting: Awaited<ReturnType<typeof waits>>) =>
      (await Promise.all(waiting.map(({ body }) => body))).map((body) => JSON.parse(body.toString()));
    const all = (StatusCode: number) => conditions.map(() => ({ Error: null, StatusCode }));

    await using unstarted = await make(subject, ['true']);
    const onUnstarted = await waits(unstarted);
    await unstarted[Symbol.asyncDispose]();
    assert.deepEqual(await answers(onUnstarted), all(0));

    await using ended = await ran(subject, 'exit 7');
    const onEnded = await waits(ended);
    await ended[Symbol.asyncDispose]();
    assert.deepEqual(await answers(onEnded), all(7));

    await using removing = await make(subject, ['sh', '-c', 'sleep 1; exit 8'], {
      HostConfig: { AutoRemove: true },
    });
    await removing.start();
    assert.deepEqual(await answers(await waits(removing)), all(8));
  },
  'a client that goes away while it waits disturbs nobody': async (subject) => {
    await using made = await run(subject, 'sleep 1; exit 6');
    const leaving = new AbortController();
    const line = `POST /v1.41/containers/${made.id}/wait`;
    const gone = await begin(subject, line, { signal: leaving.signal });
    const staying = [await begin(subject, line), await begin(subject, `${line}?condition=next-exit`)];
    leaving.abort();
    await assert.rejects(gone.body);
    for (const { body } of staying) assert.equal(JSON.parse((await body).toString()).StatusCode, 6);
  },
  'restart starts one that is stopped, and keeps one that is to be removed at its end': async (subject) => {
    await using stopped = await make(subject, ['sleep', '60']);
    assert.equal((await act(subject, stopped, 'restart')).status, 204);
    assert.equal((await stopped.inspect()).State.Status, 'running');
    await using removed = await run(subject, 'sleep 60', { HostConfig: { AutoRemove: true } });
    assert.equal((await act(subject, removed, 'restart?t=0')).status, 204);
    assert.equal((await removed.inspect()).State.Status, 'running');
  },
  'a link is removed by its name, and the containers stay': async (subject) => {
    await using target = await run(subject, 'sleep 60', NETWORKED);
    await using made = await make(subject, ['true'], { HostConfig: { Links: [`${target.name}:db`] } });
    const remove = async (path: string) =>
      (await ask(subject, `DELETE /v1.41/containers/${path}?link=1`)).status;
    const plain = differs(subject, { berth: 409, dockerd: 500, because: 'dockerd 20.10 calls it internal' });
    assert.equal(await remove(made.name), plain);
    assert.equal(await remove(`${made.name}/cache`), 404);
    assert.equal(await remove('nobody/db'), 404);
    assert.deepEqual((await made.inspect()).HostConfig.Links, [`/${target.name}:/${made.name}/db`]);
    assert.equal(await remove(`${made.name}/db`), 204);
    assert.equal((await made.inspect()).HostConfig.Links, null);
    assert.equal((await target.inspect()).State.Running, true);
  },
  'an ambiguous prefix of ids is refused everywhere': async (subject) => {
    await using _first = await make(subject, ['true']);
    const ids = (await ask(subject, 'GET /v1.41/containers/json?all=1'))
      .json()
      .map(({ Id }: Loose) => Id as string);
    const made: Made[] = [];
    try {
      const firsts = new Set(ids.map((id: string) => id[0]));
      let shared: string | undefined;
      // Sixteen digits: the seventeenth container shares one at the latest.
      while (shared === undefined) {
        const one = await make(subject, ['true']);
        made.push(one);
        const [digit = ''] = one.id;
        // One that is a name besides is none: ids of other cases come and go.
        if (firsts.has(digit) && made.some(({ id }) => id !== one.id && id[0] === digit)) shared = digit;
        firsts.add(digit);
      }
      for (const line of [
        'GET json',
        'POST start',
        'POST stop',
        'POST kill',
        'POST pause',
        'POST wait',
        'DELETE ',
      ]) {
        const [method, rest] = line.split(' ');
        const path = `/v1.41/containers/${shared}${rest === '' ? '' : `/${rest}`}`;
        const { status, text } = await ask(subject, `${method} ${path}`);
        assert.equal(
          status,
          differs(subject, { berth: 400, dockerd: 500, because: 'dockerd 20.10 calls it internal' }),
          line,
        );
        assert.match(text, /multiple (containers found|IDs found)/i, line);
      }
    } finally {
      for (const one of made) await one[Symbol.asyncDispose]();
    }
  },
};
