import assert from 'node:assert/strict';
import { connect } from 'node:net';
import type { Case } from './case.ts';
import { make, run, uniqueName } from './containers.ts';
import { ask, begin, converse, differs, openRaw, type Subject } from './wire.ts';

const statuses = (text: string) => [...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map((match) => Number(match[1]));
const create = (more: string) =>
  `POST /v1.41/containers/create HTTP/1.1\r\nHost: e\r\nContent-Type: application/json\r\n${more}`;

/** What a created container answers; asked with each of its names. */
const CREATED: Readonly<Record<string, number>> = {
  'GET json': 200,
  'GET logs?stdout=1': 200,
  'POST wait': 200,
  'POST stop': 304,
  'POST kill': 409,
  'POST resize?h=1&w=1': 409,
};

/** Two containers whose ids begin with the same digit: at most seventeen are made. */
async function twins(subject: Subject) {
  await using stack = new AsyncDisposableStack();
  const byDigit = new Map<string, string>();
  for (;;) {
    const made = stack.use(await make(subject, ['true']));
    const digit = made.id.slice(0, 1);
    const other = byDigit.get(digit);
    byDigit.set(digit, made.id);
    if (other === undefined) continue;
    const kept = stack.move();
    return { digit, ids: [other, made.id], [Symbol.asyncDispose]: () => kept.disposeAsync() };
  }
}

/** How the API is spoken: connections, heads and bodies, names. */
export const mannerCases: Readonly<Record<string, Case>> = {
  'every endpoint takes a name, an id and the beginning of an id': async (subject) => {
    await using made = await make(subject, ['true']);
    for (const name of [made.name, made.id, made.id.slice(0, 12)])
      for (const [line, status] of Object.entries(CREATED)) {
        const [method, rest] = line.split(' ');
        const answer = await ask(subject, `${method} /v1.41/containers/${name}/${rest}`);
        assert.equal(answer.status, status, `${line} of ${name}: ${answer.text}`);
      }
    assert.equal((await ask(subject, `DELETE /v1.41/containers/${made.id.slice(0, 12)}`)).status, 204);
  },
  'the beginning of more than one id is refused everywhere': async (subject) => {
    await using two = await twins(subject);
    const status = differs(subject, {
      berth: 400,
      dockerd: 500,
      because: 'dockerd 20.10 calls an ambiguous prefix internal; later ones answer 400',
      of: 'GET /containers/{id}/json',
    });
    for (const line of [...Object.keys(CREATED), 'POST start', 'POST restart', 'DELETE ']) {
      const [method, rest = ''] = line.split(' ');
      const path = `/v1.41/containers/${two.digit}${rest === '' ? '' : `/${rest}`}`;
      const answer = await ask(subject, `${method} ${path}`);
      assert.equal(answer.status, status, `${line}: ${answer.text}`);
      assert.match(answer.json().message, /multiple .*prefix/i);
    }
  },
  'a name goes before the beginning of an id': async (subject) => {
    await using made = await make(subject, ['true']);
    const name = made.id.slice(0, 12);
    const named = await ask(subject, `POST /v1.41/containers/create?name=${name}`, {
      body: { Image: 'busybox' },
    });
    assert.equal(named.status, 201);
    assert.equal((await ask(subject, `GET /v1.41/containers/${name}/json`)).json().Id, named.json().Id);
    assert.equal((await ask(subject, `DELETE /v1.41/containers/${named.json().Id}`)).status, 204);
  },
  'requests that are sent at once are answered in order': async (subject) => {
    const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: e\r\n\r\n`;
    const text = await converse(
      subject,
      [get('/_ping'), get('/v1.41/containers/nobody/json'), get('/v1.41/nothing/json'), get('/version')].join(
        '',
      ),
    );
    assert.deepEqual(statuses(text), [200, 404, 404, 200]);
  },
  'an attach takes over a connection that has been used': async (subject) => {
    await using made = await make(subject, ['cat'], { OpenStdin: true, StdinOnce: true });
    const socket = connect({ path: subject.socketPath, allowHalfOpen: true });
    socket.write(create(`Content-Length: 18\r\n\r\n{"Image":"nobody"}`));
    let seen = '';
    for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
      seen += chunk;
      if (/No such image: nobody:latest"[^]*\}\n$/.test(seen)) break;
    }
    const line = `POST /v1.41/containers/${made.id}/attach?stream=1&stdin=1&stdout=1`;
    const attached = await openRaw(subject, line, { over: socket });
    assert.equal(attached.status, 200);
    await made.start();
    attached.socket.end('GET /_ping HTTP/1.1\n');
    assert.deepEqual(await attached.frames(), [['stdout', 'GET /_ping HTTP/1.1\n']]);
  },
  'a body may come in chunks, and after a word of going on': async (subject) => {
    const chunked = create(
      'Transfer-Encoding: chunked\r\n\r\n10\r\n{"Image":"nobody\r\n2\r\n"}\r\n0\r\n\r\n',
    );
    assert.deepEqual(statuses(await converse(subject, chunked)), [404]);
    const waiting = await openRaw(subject, 'POST /v1.41/containers/create', {
      headers: ['Content-Type: application/json', 'Content-Length: 18', 'Expect: 100-continue'],
    });
    assert.equal(waiting.status, 100);
    waiting.socket.end('{"Image":"nobody"}');
    assert.deepEqual(statuses((await waiting.rest()).toString()), [404]);
  },
  'HTTP/1.0, a target with its host, and a half-closed connection are answered': async (subject) => {
    for (const text of ['GET /_ping HTTP/1.0\r\n\r\n', 'GET http://e/_ping HTTP/1.1\r\nHost: e\r\n\r\n'])
      assert.match(await converse(subject, text), /^HTTP\/1\.[01] 200 OK\r\n[^]*\r\n\r\nOK$/);
  },
  'long headers are read, and endless ones refused': async (subject) => {
    const auth = (length: number) => ({ headers: [`X-Registry-Auth: ${'x'.repeat(length)}`] });
    const long = await openRaw(subject, 'GET /_ping', auth(100_000));
    assert.equal(long.status, 200);
    long.socket.destroy();
    // dockerd reads a megabyte of them, and has ended the connection by the time that all of more is written.
    if (subject.name !== 'berth') return;
    const endless = await openRaw(subject, 'GET /_ping', auth(200_000));
    assert.equal(endless.status, 431);
    endless.socket.destroy();
  },
  'HEAD is for what has it, and has no body': async (subject) => {
    const { status, text } = await ask(subject, 'HEAD /v1.41/containers/json');
    assert.deepEqual([status, text], [404, '']);
  },
  'a start with a HostConfig in its body is refused': async (subject) => {
    await using made = await make(subject, ['true']);
    const line = `POST /v1.41/containers/${made.id}/start`;
    assert.equal((await ask(subject, line, { body: { Binds: ['/tmp:/tmp'] } })).status, 400);
    assert.equal((await made.inspect()).State.Status, 'created');
    assert.equal((await ask(subject, line, { body: {} })).status, 204);
  },
  'credentials open a registry, and wrong ones do not': async (subject, { locked }) => {
    const pull = `POST /v1.41/images/create?fromImage=${locked.host}/harbour/locked&tag=latest`;
    const given = async (auth: object) => {
      // The URL's alphabet, padded: dockerd pulls without credentials where the padding is missing.
      const text = Buffer.from(JSON.stringify(auth)).toString('base64');
      const header = text.replaceAll('+', '-').replaceAll('/', '_');
      return await ask(subject, pull, { headers: { 'x-registry-auth': header } });
    };
    const wrong = await given({ username: locked.username, password: 'wrong' });
    assert.equal(
      wrong.status,
      differs(subject, {
        berth: 401,
        dockerd: 500,
        because: "dockerd calls a registry's refusal internal",
      }),
    );
    const right = await given({ ...locked, serveraddress: locked.host });
    assert.equal(right.status, 200, right.text);
    assert.match(right.lines().at(-1).status, /^Status: /);
    await ask(subject, `DELETE /v1.41/images/${locked.host}/harbour/locked`);
  },
  'half of a body makes nothing': async (subject) => {
    const name = uniqueName();
    const socket = connect({ path: subject.socketPath });
    const head = create('Content-Length: 1000\r\n\r\n').replace('create', `create?name=${name}`);
    await new Promise<void>((resolve) => socket.write(`${head}{"Image":"busybox"`, () => resolve()));
    socket.destroy();
    const listed = await ask(subject, `GET /v1.41/containers/${name}/json`);
    assert.equal(listed.status, 404);
  },
  'a client that does not read its logs holds up nobody': async (subject) => {
    const lines = 20_000;
    await using made = await run(
      subject,
      `seq ${lines} | sed 's/$/ and so much more that it fills what lies between/'`,
    );
    const path = `/v1.41/containers/${made.id}/logs?stdout=1&follow=1`;
    const slow = await openRaw(subject, `GET ${path}`);
    assert.equal(await made.ended(), 0);
    const { body } = await begin(subject, `GET ${path}`);
    assert.equal((await body).toString('latin1').split('\n').length - 1, lines);
    assert.equal((await ask(subject, 'GET /_ping')).status, 200);
    slow.socket.destroy();
  },
};
