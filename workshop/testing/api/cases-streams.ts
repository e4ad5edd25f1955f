import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Case } from './case.ts';
import { make, ran, run } from './containers.ts';
import { ask, begin, differs, joinFrames, openRaw, type Subject, UPGRADE } from './wire.ts';

const all = 'stream=1&stdin=1&stdout=1&stderr=1';
const interactive = { OpenStdin: true, StdinOnce: true };

async function logsOf(subject: Subject, id: string, query: string) {
  const { status, headers, body } = await begin(subject, `GET /v1.41/containers/${id}/logs?${query}`);
  assert.equal(status, 200);
  async function* whole() {
    yield await body;
  }
  return { headers, frames: await joinFrames(whole()) };
}

export const streamCases: Readonly<Record<string, Case>> = {
  "attach with an upgrade is 101, cuts the output into frames, and half-closing it ends the container's input":
    async (subject) => {
      await using made = await make(subject, ['sh', '-c', 'cat; echo done; echo oops >&2'], interactive);
      const attached = await openRaw(subject, `POST /v1.41/containers/${made.id}/attach?${all}`, {
        headers: UPGRADE,
      });
      assert.equal(attached.status, 101);
      assert.match(attached.head, /^http\/1\.1 101 upgraded/);
      assert.match(attached.head, /\r\nconnection: upgrade/);
      assert.match(attached.head, /\r\nupgrade: tcp/);
      assert.match(attached.head, /\r\ncontent-type: application\/vnd\.docker\.raw-stream/);
      await made.start();
      attached.socket.end('ahoy\n');
      const frames = await attached.frames();
      const text = (stream: string) =>
        frames
          .filter(([name]) => name === stream)
          .map(([, data]) => data)
          .join('');
      assert.deepEqual([text('stdout'), text('stderr')], ['ahoy\ndone\n', 'oops\n']);
      assert.equal(await made.ended(), 0);
    },
  'attach without an upgrade is 200, and both ways all the same': async (subject) => {
    await using made = await make(subject, ['cat'], interactive);
    const attached = await openRaw(subject, `POST /v1.41/containers/${made.id}/attach?${all}`);
    assert.equal(attached.status, 200);
    assert.match(attached.head, /content-type: application\/vnd\.docker\.raw-stream/);
    assert.doesNotMatch(attached.head, /chunked/);
    await made.start();
    attached.socket.end('ahoy\n');
    assert.deepEqual(await attached.frames(), [['stdout', 'ahoy\n']]);
  },
  'the JSON body of an attach never reaches the container': async (subject) => {
    for (const headers of [UPGRADE, []]) {
      await using made = await make(subject, ['cat'], interactive);
      const attached = await openRaw(subject, `POST /v1.41/containers/${made.id}/attach?${all}`, {
        headers,
        body: '{"stream":true}',
      });
      await made.start();
      attached.socket.end('ahoy\n');
      assert.deepEqual(await attached.frames(), [['stdout', 'ahoy\n']]);
    }
  },
  'a stream in frames has its own type from 1.42 on': async (subject) => {
    await using made = await make(subject, ['true']);
    const version = differs(subject, {
      berth: '1.42',
      dockerd: '1.41',
      because: 'dockerd 20.10 does not speak 1.42',
    });
    const attached = await openRaw(subject, `POST /v${version}/containers/${made.id}/attach?${all}`, {
      headers: UPGRADE,
    });
    const type = version === '1.42' ? 'multiplexed' : 'raw';
    assert.match(attached.head, new RegExp(`content-type: application/vnd\\.docker\\.${type}-stream`));
    attached.socket.destroy();
  },
  'with a terminal the stream is the bytes themselves': async (subject) => {
    await using made = await make(subject, ['sh', '-c', 'read line; echo "<$line>"; tty'], {
      ...interactive,
      Tty: true,
    });
    const attached = await openRaw(subject, `POST /v1.41/containers/${made.id}/attach?${all}`, {
      headers: UPGRADE,
    });
    await made.start();
    attached.socket.write('ahoy\r');
    const text = (await attached.rest()).toString('utf8');
    assert.match(text, /ahoy\r\n<ahoy>\r\n\/dev\/(pts\/0|console)\r\n/);
  },
  'the detach keys end an attach and not the container': async (subject) => {
    await using made = await make(subject, ['cat'], { OpenStdin: true, Tty: true });
    for (const [query, keys] of [
      ['', '\x10\x11'],
      ['&detachKeys=ctrl-a,x', '\x01x'],
    ] as const) {
      const attached = await openRaw(subject, `POST /v1.41/containers/${made.id}/attach?${all}${query}`, {
        headers: UPGRADE,
      });
      await ask(subject, `POST /v1.41/containers/${made.id}/start`);
      attached.socket.write(`ahoy\r${keys}`);
      await attached.rest();
      assert.equal((await made.inspect()).State.Running, true);
    }
  },
  'attach with logs starts with what was written, framed once': async (subject) => {
    await using made = await run(subject, 'echo before; read line; echo after', interactive);
    const deadline = Date.now() + 5000;
    while (Date.now() < deadline && (await logsOf(subject, made.id, 'stdout=1')).frames.length === 0);
    const attached = await openRaw(subject, `POST /v1.41/containers/${made.id}/attach?logs=1&${all}`, {
      headers: UPGRADE,
    });
    attached.socket.end('go\n');
    assert.deepEqual(await attached.frames(), [['stdout', 'before\nafter\n']]);
  },
  'attach to a container that is not there is 404, with an upgrade too': async (subject) => {
    for (const headers of [UPGRADE, []]) {
      const attached = await openRaw(subject, `POST /v1.41/containers/nobody/attach?${all}`, { headers });
      assert.equal(attached.status, 404);
      assert.match((await attached.rest()).toString('utf8'), /No such container: nobody/);
    }
  },
  'a client that does not read holds up nobody else, and nothing is lost to it': async (subject) => {
    const lines = 20_000;
    await using made = await make(subject, [
      'sh',
      '-c',
      `i=0; while [ $i -lt ${lines} ]; do echo "line $i of some length to fill the buffers"; i=$((i+1)); done`,
    ]);
    const attach = `POST /v1.41/containers/${made.id}/attach?stream=1&stdout=1`;
    const slow = await openRaw(subject, attach, { headers: UPGRADE });
    const fast = await openRaw(subject, attach, { headers: UPGRADE });
    await made.start();
    const count = (frames: Awaited<ReturnType<typeof fast.frames>>) =>
      frames
        .map(([, text]) => text)
        .join('')
        .split('\n').length - 1;
    if (subject.name === 'berth') {
      assert.equal(count(await fast.frames()), lines);
      assert.equal(await made.ended(), 0);
      assert.equal(count(await slow.frames()), lines);
    } else {
      // differs: dockerd writes to its attached clients and the container's pipe in turn, so a slow one holds all up.
      const [one, other] = await Promise.all([fast.frames(), slow.frames()]);
      assert.deepEqual([count(one), count(other)], [lines, lines]);
    }
  },
  'a client that goes away leaves the container running': async (subject) => {
    await using made = await run(subject, 'while :; do echo tick; sleep 0.1; done', { OpenStdin: true });
    const attached = await openRaw(subject, `POST /v1.41/containers/${made.id}/attach?${all}`, {
      headers: UPGRADE,
    });
    await once(attached.socket.resume(), 'data');
    attached.socket.destroy();
    const logs = new AbortController();
    await begin(subject, `GET /v1.41/containers/${made.id}/logs?follow=1&stdout=1`, { signal: logs.signal });
    logs.abort();
    assert.equal((await made.inspect()).State.Running, true);
  },

  'wait sends its headers before the container ends, and then the exit code': async (subject) => {
    await using made = await make(subject, ['sh', '-c', 'exit 5']);
    const waiting = await begin(subject, `POST /v1.41/containers/${made.id}/wait?condition=next-exit`);
    assert.equal(waiting.status, 200);
    assert.match(String(waiting.headers['content-type']), /^application\/json/);
    await made.start();
    assert.deepEqual(JSON.parse((await waiting.body).toString('utf8')), { Error: null, StatusCode: 5 });
    const again = (await ask(subject, `POST /v1.41/containers/${made.id}/wait`)).json();
    assert.deepEqual(again, { Error: null, StatusCode: 5 });
  },
  'wait for removal gives the exit code of a container that removes itself': async (subject) => {
    await using made = await make(subject, ['sh', '-c', 'exit 6'], { HostConfig: { AutoRemove: true } });
    const waiting = await begin(subject, `POST /v1.41/containers/${made.id}/wait?condition=removed`);
    await made.start();
    assert.equal(JSON.parse((await waiting.body).toString('utf8')).StatusCode, 6);
    assert.equal((await ask(subject, `GET /v1.41/containers/${made.id}/json`)).status, 404);
  },
  'wait on a condition that there is not': async (subject) => {
    await using made = await make(subject, ['true']);
    const { status } = await ask(subject, `POST /v1.41/containers/${made.id}/wait?condition=tuesday`);
    assert.equal(
      status,
      differs(subject, {
        berth: 400,
        dockerd: 200,
        because: 'dockerd 20.10 takes any other word for not-running; later ones refuse it',
      }),
    );
  },

  'logs come in frames, of the streams that were asked for': async (subject) => {
    await using made = await ran(
      subject,
      'echo out; sleep 0.1; echo err >&2; sleep 0.1; printf "no newline"',
    );
    const { headers, frames } = await logsOf(subject, made.id, 'stdout=1&stderr=1');
    assert.deepEqual(frames, [
      ['stdout', 'out\n'],
      ['stderr', 'err\n'],
      ['stdout', 'no newline'],
    ]);
    assert.equal(
      headers['content-type'],
      differs(subject, {
        berth: 'application/vnd.docker.raw-stream',
        dockerd: undefined,
        because: 'dockerd 20.10 names no type; later ones do',
      }),
    );
    assert.deepEqual((await logsOf(subject, made.id, 'stderr=1')).frames, [['stderr', 'err\n']]);
    const neither = await ask(subject, `GET /v1.41/containers/${made.id}/logs`);
    assert.equal(neither.status, 400);
    assert.match(neither.json().message, /you must choose at least one stream/);
  },
  'logs give the last lines, and all of them for a tail of all': async (subject) => {
    await using made = await ran(subject, 'for i in 1 2 3 4 5; do echo $i; done');
    const text = async (query: string) =>
      (await logsOf(subject, made.id, `stdout=1&${query}`)).frames.map(([, data]) => data).join('');
    assert.equal(await text('tail=2'), '4\n5\n');
    assert.equal(await text('tail=0'), '');
    assert.equal(await text('tail=99'), '1\n2\n3\n4\n5\n');
    for (const tail of ['all', '-1', '']) assert.equal(await text(`tail=${tail}`), '1\n2\n3\n4\n5\n', tail);
  },
  'logs have their times in RFC 3339 with nanoseconds, and are cut by them': async (subject) => {
    await using made = await ran(subject, 'echo one; sleep 1.1; echo two');
    const { frames } = await logsOf(subject, made.id, 'stdout=1&timestamps=1');
    const lines = frames
      .map(([, data]) => data)
      .join('')
      .trim()
      .split('\n');
    const moments = lines.map(
      (line) => /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z) (one|two)$/.exec(line)?.[1],
    );
    assert.ok(moments[0] !== undefined && moments[1] !== undefined, lines.join());
    const between = (Date.parse(moments[1]) / 1000 - 0.5).toFixed(3);
    const text = async (query: string) =>
      (await logsOf(subject, made.id, `stdout=1&${query}`)).frames.map(([, data]) => data).join('');
    assert.equal(await text(`since=${between}`), 'two\n');
    assert.equal(await text(`until=${between}`), 'one\n');
    assert.equal(await text('since=0&until=0'), 'one\ntwo\n');
    const wrong = await ask(subject, `GET /v1.41/containers/${made.id}/logs?stdout=1&since=yesterday`);
    assert.equal(
      wrong.status,
      differs(subject, {
        berth: 400,
        dockerd: 500,
        because: 'dockerd 20.10 calls a query that it cannot read internal',
      }),
    );
  },
  'logs that are followed come as they are written and end with the container': async (subject) => {
    await using made = await run(subject, 'echo first; read line; echo last', interactive);
    const following = begin(subject, `GET /v1.41/containers/${made.id}/logs?follow=1&stdout=1`);
    assert.equal((await following).status, 200);
    const attached = await openRaw(subject, `POST /v1.41/containers/${made.id}/attach?stream=1&stdin=1`, {
      headers: UPGRADE,
    });
    attached.socket.end('go\n');
    async function* whole() {
      yield await (await following).body;
    }
    assert.deepEqual(await joinFrames(whole()), [['stdout', 'first\nlast\n']]);
    attached.socket.destroy();
  },
  'logs of a terminal are the bytes themselves': async (subject) => {
    await using made = await ran(subject, 'echo hello', { Tty: true });
    const { text } = await ask(subject, `GET /v1.41/containers/${made.id}/logs?stdout=1&stderr=1`);
    assert.equal(text, 'hello\r\n');
  },
  'logs of a container that never ran are empty': async (subject) => {
    await using made = await make(subject, ['true']);
    const { status, text } = await ask(subject, `GET /v1.41/containers/${made.id}/logs?stdout=1&follow=0`);
    assert.deepEqual([status, text], [200, '']);
  },
};
