import assert from 'node:assert/strict';
import type { Case } from './case.ts';
import { make, ran, run } from './containers.ts';
import { ask, begin, differs, joinFrames, type Subject } from './wire.ts';

async function textOf(subject: Subject, id: string, query: string): Promise<string> {
  const { status, body } = await begin(subject, `GET /v1.41/containers/${id}/logs?${query}`);
  assert.equal(status, 200);
  async function* whole() {
    yield await body;
  }
  return (await joinFrames(whole())).map(([, data]) => data).join('');
}

const logged = (Type: string, Config: Readonly<Record<string, string>> = {}) => ({
  HostConfig: { LogConfig: { Type, Config } },
});

export const logCases: Readonly<Record<string, Case>> = {
  'log details are the labels and variables that the log options name': async (subject) => {
    const options = { labels: 'tier,none', 'env-regex': '^VER' };
    await using made = await ran(subject, 'echo hi; echo ho', {
      ...logged('json-file', options),
      Labels: { tier: 'web & more', other: '1' },
      Env: ['VERSION=2=3', 'ELSE=1'],
    });
    const lines = (before: string) => `${before} hi\n${before} ho\n`;
    assert.equal(
      await textOf(subject, made.id, 'stdout=1&details=1'),
      lines('VERSION=2%3D3,tier=web+%26+more'),
    );
    assert.match(
      await textOf(subject, made.id, 'stdout=1&details=1&timestamps=1'),
      /^\d{4}-\d\d-\d\dT\S+Z VERSION=2%3D3,tier=web\+%26\+more hi\n/,
    );
    assert.equal(await textOf(subject, made.id, 'stdout=1'), 'hi\nho\n');
    await using plain = await ran(subject, 'echo hi');
    assert.equal(await textOf(subject, plain.id, 'stdout=1&details=1'), ' hi\n');
  },
  'logs hold every run, and following them goes on over a restart': async (subject) => {
    await using made = await run(subject, 'echo run; read line', { OpenStdin: true });
    const following = textOf(subject, made.id, 'stdout=1&follow=1');
    while ((await textOf(subject, made.id, 'stdout=1')) !== 'run\n');
    await ask(subject, `POST /v1.41/containers/${made.id}/restart?t=0`);
    while ((await textOf(subject, made.id, 'stdout=1')) !== 'run\nrun\n');
    await ask(subject, `POST /v1.41/containers/${made.id}/kill`);
    await made.ended();
    const runs = differs(subject, {
      of: 'GET /containers/{id}/logs',
      berth: 2,
      dockerd: 1,
      because: 'who follows a container that is restarted sees the runs after it too',
    });
    assert.equal(await following, 'run\n'.repeat(runs));
    assert.equal(await textOf(subject, made.id, 'stdout=1'), 'run\nrun\n');
    assert.equal(await textOf(subject, made.id, 'stdout=1&tail=1'), 'run\n');
  },
  'a log that would grow over its size is put aside, and what is kept is read as one': async (subject) => {
    const script = 'i=0; while [ $i -lt 4000 ]; do echo $i; i=$((i+1)); done; read line; echo last';
    await using made = await run(subject, script, {
      OpenStdin: true,
      ...logged('json-file', { 'max-size': '60k', 'max-file': '2' }),
    });
    const following = textOf(subject, made.id, 'stdout=1&follow=1');
    while ((await textOf(subject, made.id, 'stdout=1&tail=1')) !== '3999\n');
    await ask(subject, `POST /v1.41/containers/${made.id}/kill`);
    await made.ended();
    const [kept, tail] = [
      await textOf(subject, made.id, 'stdout=1'),
      await textOf(subject, made.id, 'stdout=1&tail=5'),
    ];
    assert.equal(tail, '3995\n3996\n3997\n3998\n3999\n');
    const numbers = kept.trimEnd().split('\n').map(Number);
    assert.deepEqual(
      numbers,
      Array.from(numbers, (_unused, index) => 4000 - numbers.length + index),
    );
    const followed = await following;
    // dockerd lets who follows go at the end, whatever it has not read yet of the file that is new.
    if (subject.name !== 'dockerd') assert.ok(followed.endsWith(tail));
    assert.deepEqual((await made.inspect()).HostConfig.LogConfig, {
      Type: 'json-file',
      Config: { 'max-file': '2', 'max-size': '60k' },
    });
  },
  'with the log driver none there are no logs to read': async (subject) => {
    await using made = await ran(subject, 'echo hi', logged('none'));
    const { status, json } = await ask(subject, `GET /v1.41/containers/${made.id}/logs?stdout=1`);
    assert.deepEqual([status, json().message], [501, 'configured logging driver does not support reading']);
  },
  'log options that make no sense are refused by name': async (subject) => {
    const create = async (more: Readonly<Record<string, unknown>>) => {
      const body = { Image: 'busybox', Cmd: ['true'], ...more };
      return await ask(subject, 'POST /v1.41/containers/create', { body });
    };
    for (const [type, name, value, words] of [
      ['json-file', 'colour', 'red', /unknown log opt 'colour' for json-file log driver/],
      ['local', 'labels', 'a', /unknown log opt 'labels' for (log driver local|local log driver)/],
    ] as const) {
      const { status, json } = await create(logged(type, { [name]: value }));
      assert.equal(status, 400, `${type} ${name}: ${json().message}`);
      assert.match(json().message, words);
    }
    if (subject.name === 'dockerd') return;
    // dockerd finds these out at the start, when the container has been made.
    for (const [name, value] of [
      ['max-size', 'huge'],
      ['max-size', '0'],
      ['max-file', '0'],
      ['max-file', 'many'],
      ['labels-regex', '('],
    ] as const) {
      const { status, json } = await create(logged('json-file', { [name]: value }));
      assert.equal(status, 400, `${name}=${value}`);
      assert.match(
        json().message,
        RegExp(`invalid value '${RegExp.escape(value)}' for the log option ${name}`),
      );
    }
  },
  'a container that was not started has no logs, followed or not': async (subject) => {
    await using made = await make(subject, ['true']);
    for (const follow of ['0', '1'])
      assert.equal(await textOf(subject, made.id, `stdout=1&follow=${follow}`), '');
  },
  'logs until a moment end there, followed or not': async (subject) => {
    await using made = await run(subject, 'echo one; sleep 2; echo two; sleep 60');
    const until = (Date.now() / 1000 + 1).toFixed(3);
    const following = textOf(subject, made.id, `stdout=1&follow=1&until=${until}`);
    const text = await Promise.race([following, new Promise((resolve) => setTimeout(resolve, 6000, 'late'))]);
    assert.equal(text, 'one\n');
  },
};
