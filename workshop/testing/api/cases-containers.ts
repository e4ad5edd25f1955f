import assert from 'node:assert/strict';
import type { Case } from './case.ts';
import { make, NETWORKED, run, uniqueName } from './containers.ts';
import { ask, defaultNetwork, differs } from './wire.ts';

const ID = /^[0-9a-f]{64}$/;
const NEVER = '0001-01-01T00:00:00Z';
const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/;
const notJson = {
  berth: 400,
  dockerd: 500,
  because: 'dockerd 20.10 calls a body that it cannot read internal; later ones answer 400',
} as const;

export const containerCases: Readonly<Record<string, Case>> = {
  'create gives an id and warnings, and the name starts with a slash': async (subject) => {
    await using made = await make(subject, ['true'], NETWORKED);
    assert.match(made.id, ID);
    const container = await made.inspect();
    assert.equal(container.Id, made.id);
    assert.equal(container.Name, `/${made.name}`);
    assert.deepEqual([container.Path, container.Args], ['true', []]);
    assert.match(container.Created, MOMENT);
    assert.match(container.Image, /^sha256:/);
    assert.equal(container.Config.Image, 'busybox');
    assert.equal(container.Config.Hostname, made.id.slice(0, 12));
    assert.deepEqual(container.Config.Cmd, ['true']);
    assert.ok(container.Config.Env.some((text: string) => text.startsWith('PATH=')));
    const { State } = container;
    assert.deepEqual([State.Status, State.Running, State.Pid, State.ExitCode], ['created', false, 0, 0]);
    assert.deepEqual([State.StartedAt, State.FinishedAt], [NEVER, NEVER]);
  },
  'create without a name makes one up': async (subject) => {
    const created = await ask(subject, 'POST /v1.41/containers/create', { body: { Image: 'busybox' } });
    assert.equal(created.status, 201);
    const { Id } = created.json();
    const { Name } = (await ask(subject, `GET /v1.41/containers/${Id}/json`)).json();
    assert.match(Name, /^\/[a-z]+_[a-z]+/);
    assert.equal((await ask(subject, `DELETE /v1.41/containers/${Id}`)).status, 204);
  },
  'what create is given comes back from inspect': async (subject) => {
    await using made = await make(subject, ['-c', 'true'], {
      Entrypoint: ['sh'],
      Env: ['TIER=web'],
      Labels: { team: 'harbour' },
      WorkingDir: '/tmp',
      User: 'sailor',
      Hostname: 'pier',
      Tty: true,
      OpenStdin: true,
      StopSignal: 'SIGINT',
      HostConfig: {
        Memory: 64 * 2 ** 20,
        NanoCpus: 500_000_000,
        PidsLimit: 50,
        CapDrop: ['NET_RAW'],
        ReadonlyRootfs: true,
        NetworkMode: 'none',
      },
    });
    const { Config, HostConfig, Path, Args } = await made.inspect();
    assert.deepEqual([Path, Args], ['sh', ['-c', 'true']]);
    assert.ok(Config.Env.includes('TIER=web'));
    assert.deepEqual(Config.Labels, { team: 'harbour' });
    assert.deepEqual([Config.WorkingDir, Config.User, Config.Hostname], ['/tmp', 'sailor', 'pier']);
    assert.deepEqual([Config.Tty, Config.OpenStdin, Config.StopSignal], [true, true, 'SIGINT']);
    assert.deepEqual(
      [HostConfig.Memory, HostConfig.NanoCpus, HostConfig.PidsLimit],
      [64 * 2 ** 20, 500_000_000, 50],
    );
    assert.equal(HostConfig.CapDrop.length, 1);
    assert.match(HostConfig.CapDrop[0], /^(CAP_)?NET_RAW$/);
    assert.deepEqual([HostConfig.ReadonlyRootfs, HostConfig.NetworkMode], [true, 'none']);
  },
  'HostConfig comes with the defaults that dockerd writes': async (subject) => {
    await using made = await make(subject, ['true'], NETWORKED);
    const { HostConfig } = await made.inspect();
    assert.equal(HostConfig.NetworkMode, differs(subject, defaultNetwork));
    assert.match(HostConfig.RestartPolicy.Name, /^(no)?$/);
    assert.equal(HostConfig.RestartPolicy.MaximumRetryCount, 0);
    assert.deepEqual(
      [HostConfig.Privileged, HostConfig.AutoRemove, HostConfig.ReadonlyRootfs],
      [false, false, false],
    );
    assert.equal(HostConfig.ShmSize, 64 * 2 ** 20);
    assert.ok(HostConfig.MaskedPaths.includes('/proc/kcore'));
    assert.ok(HostConfig.ReadonlyPaths.includes('/proc/sys'));
    assert.equal(
      HostConfig.LogConfig.Type,
      differs(subject, {
        berth: HostConfig.LogConfig.Type,
        dockerd: 'json-file',
        because: "the log is conmon's",
      }),
    );
  },
  'a name in use is a conflict that names who has it': async (subject) => {
    await using made = await make(subject, ['true']);
    const second = await ask(subject, `POST /v1.41/containers/create?name=${made.name}`, {
      body: { Image: 'busybox' },
    });
    assert.equal(second.status, 409);
    assert.match(
      second.json().message,
      new RegExp(`name "/${made.name}" is already in use by container "?${made.id}`),
    );
  },
  'a malformed name is refused': async (subject) => {
    for (const name of ['-x', 'a', 'a%20b', '%2F', 'a%2Fb', '..%2F..']) {
      const { status, json } = await ask(subject, `POST /v1.41/containers/create?name=${name}`, {
        body: { Image: 'busybox' },
      });
      assert.equal(status, 400, name);
      assert.match(json().message, /Invalid container name/);
    }
  },
  'an image that is not there is a 404 that names it': async (subject) => {
    const { status, json } = await ask(subject, `POST /v1.41/containers/create?name=${uniqueName()}`, {
      body: { Image: 'nobody' },
    });
    assert.equal(status, 404);
    assert.match(json().message, /No such image: nobody:latest/);
  },
  'a body that is not JSON is refused': async (subject) => {
    for (const body of [
      '{',
      'nonsense',
      '[]',
      '"text"',
      '{"Image":1}',
      '{"Image":"busybox","Cmd":{"a":1}}',
    ]) {
      const { status, json } = await ask(subject, 'POST /v1.41/containers/create', { body });
      assert.equal(status, differs(subject, notJson), body);
      assert.equal(typeof json().message, 'string');
    }
    const nothing = await ask(subject, 'POST /v1.41/containers/create', {
      headers: { 'content-type': 'application/json' },
    });
    assert.equal(nothing.status, differs(subject, notJson));
    const empty = await ask(subject, 'POST /v1.41/containers/create', { body: {} });
    assert.equal(empty.status, 400);
  },
  'a body of another type is refused': async (subject) => {
    const { status, json } = await ask(subject, 'POST /v1.41/containers/create', {
      body: '{}',
      headers: { 'content-type': 'text/plain' },
    });
    assert.equal(status, 400);
    assert.match(json().message, /Content-Type specified \(text\/plain\) must be 'application\/json'/);
    const charset = await ask(subject, 'POST /v1.41/containers/create', {
      body: { Image: 'nobody' },
      headers: { 'content-type': 'application/json; charset=utf-8' },
    });
    assert.equal(charset.status, 404);
  },
  'a container is found by name, id and the beginning of its id': async (subject) => {
    await using made = await make(subject, ['true']);
    for (const name of [made.name, made.id, made.id.slice(0, 12)])
      assert.equal((await ask(subject, `GET /v1.41/containers/${name}/json`)).json().Id, made.id, name);
  },
  'every endpoint answers 404 for a container that is not there': async (subject) => {
    const lines = [
      'GET json',
      'GET logs?stdout=1',
      'POST start',
      'POST stop',
      'POST restart',
      'POST kill',
      'POST wait',
      'POST resize?h=1&w=1',
      'DELETE ',
    ];
    for (const line of lines) {
      const [method, rest] = line.split(' ');
      const path = `/v1.41/containers/nobody${rest === '' ? '' : `/${rest}`}`;
      const { status, text } = await ask(subject, `${method} ${path}`);
      assert.equal(status, 404, line);
      assert.match(text, /No such container: nobody/, line);
    }
  },
  'start is 204, and 304 where it runs already; stop likewise': async (subject) => {
    await using made = await make(subject, ['sleep', '60'], NETWORKED);
    const act = async (what: string) => {
      const { status, text } = await ask(subject, `POST /v1.41/containers/${made.id}/${what}`);
      return [status, text];
    };
    assert.deepEqual(await act('stop'), [304, '']);
    assert.deepEqual(await act('start'), [204, '']);
    assert.deepEqual(await act('start'), [304, '']);
    const { State, NetworkSettings } = await made.inspect();
    assert.deepEqual([State.Status, State.Running], ['running', true]);
    assert.ok(State.Pid > 1);
    assert.match(State.StartedAt, MOMENT);
    assert.equal(State.FinishedAt, NEVER);
    assert.equal(NetworkSettings.Networks.bridge.IPAddress, NetworkSettings.IPAddress);
    assert.match(NetworkSettings.MacAddress, /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/);
    assert.deepEqual(await act('stop?t=0'), [204, '']);
    assert.deepEqual(await act('stop?t=0'), [304, '']);
    const stopped = (await made.inspect()).State;
    assert.deepEqual(
      [stopped.Status, stopped.Running, stopped.Pid, stopped.ExitCode],
      ['exited', false, 0, 137],
    );
    assert.match(stopped.FinishedAt, MOMENT);
    assert.notEqual(stopped.FinishedAt, NEVER);
    assert.deepEqual(await act('start'), [204, '']);
  },
  'stop sends the stop signal and lets the container end by itself': async (subject) => {
    await using made = await run(subject, 'trap "exit 3" USR1; echo up; while :; do sleep 0.1; done', {
      StopSignal: 'SIGUSR1',
    });
    const up = await ask(subject, `GET /v1.41/containers/${made.id}/logs?stdout=1&follow=1&tail=all`, {
      signal: AbortSignal.timeout(50),
    }).catch(() => undefined);
    assert.equal(up, undefined);
    await untilLogged(subject, made.id, 'up');
    assert.equal((await ask(subject, `POST /v1.41/containers/${made.id}/stop?t=10`)).status, 204);
    assert.equal((await made.inspect()).State.ExitCode, 3);
  },
  'restart gives it a new process': async (subject) => {
    await using made = await run(subject, 'sleep 60');
    const before = (await made.inspect()).State.Pid;
    const { status, text } = await ask(subject, `POST /v1.41/containers/${made.id}/restart?t=0`);
    assert.deepEqual([status, text], [204, '']);
    const { State } = await made.inspect();
    assert.equal(State.Status, 'running');
    assert.notEqual(State.Pid, before);
  },
  'kill sends the signal that is named, KILL where none is': async (subject) => {
    await using made = await run(subject, 'trap "echo hup" HUP; echo up; while :; do sleep 0.1; done');
    await untilLogged(subject, made.id, 'up');
    for (const signal of ['HUP', 'SIGHUP', '1'])
      assert.equal(
        (await ask(subject, `POST /v1.41/containers/${made.id}/kill?signal=${signal}`)).status,
        204,
        signal,
      );
    await untilLogged(subject, made.id, 'hup');
    const wrong = await ask(subject, `POST /v1.41/containers/${made.id}/kill?signal=NONSENSE`);
    assert.equal(wrong.status, 400);
    assert.match(wrong.json().message, /invalid signal: NONSENSE/i);
    assert.equal((await ask(subject, `POST /v1.41/containers/${made.id}/kill`)).status, 204);
    assert.equal(await made.ended(), 137);
    const late = await ask(subject, `POST /v1.41/containers/${made.id}/kill`);
    assert.equal(late.status, 409);
    assert.match(late.json().message, /is not running/);
  },
  'a start that fails says why in the words that the CLI reads, and leaves it stopped': async (subject) => {
    const starts = [
      { command: ['no-such-program'], words: /executable file not found in \$PATH/, exitCode: 127 },
      {
        command: ['/no/such/program'],
        words: /no such file or directory|executable file not found/,
        exitCode: 127,
      },
      { command: ['/etc/passwd'], words: /permission denied/, exitCode: 126 },
      { command: ['/etc'], words: /permission denied|is a directory/, exitCode: 126 },
    ];
    for (const { command, words, exitCode } of starts) {
      await using made = await make(subject, command);
      const { status, json } = await ask(subject, `POST /v1.41/containers/${made.id}/start`);
      assert.equal(status, 400, command.join());
      assert.match(json().message, words);
      const { State } = await made.inspect();
      assert.deepEqual(
        [State.Status, State.Running, State.ExitCode],
        ['created', false, exitCode],
        command.join(),
      );
    }
  },
  'a running container is removed only by force': async (subject) => {
    await using made = await run(subject, 'sleep 60');
    const refused = await ask(subject, `DELETE /v1.41/containers/${made.id}`);
    assert.equal(refused.status, 409);
    assert.match(refused.json().message, /You cannot remove a running container/);
    assert.equal((await ask(subject, `DELETE /v1.41/containers/${made.id}?force=1`)).status, 204);
    assert.equal((await ask(subject, `DELETE /v1.41/containers/${made.id}?force=1`)).status, 404);
  },
  'resize wants both sides and a running container': async (subject) => {
    await using made = await make(subject, ['sh'], { Tty: true, OpenStdin: true });
    const resize = async (query: string) =>
      (await ask(subject, `POST /v1.41/containers/${made.id}/resize?${query}`)).status;
    assert.equal(await resize('h=20&w=80'), 409);
    await made.start();
    assert.equal(await resize('h=20&w=80'), 200);
    assert.equal(await resize('h=20'), 400);
    assert.equal(await resize('h=tall&w=80'), 400);
  },
};

/** Waits until a line stands in the log. */
async function untilLogged(subject: Parameters<Case>[0], id: string, line: string): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (Date.now() < deadline) {
    const { text } = await ask(subject, `GET /v1.41/containers/${id}/logs?stdout=1&tail=20`);
    if (text.includes(`${line}\n`)) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`${line} was never logged`);
}
