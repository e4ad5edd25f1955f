import assert from 'node:assert/strict';
import { once } from 'node:events';
import test from 'node:test';
import { ask, begin, type Subject } from '../../workshop/testing/api/wire.ts';
import { tempRoot } from '../../workshop/testing/temp.ts';
import { BerthError } from '../api/errors.ts';
import type { ServerParts } from './exchange.ts';
import { createServer } from './server.ts';

/** What a real engine can't be made to do at will: parts that fail at a given moment. */

type Stubs = { readonly [Part in keyof ServerParts]?: Partial<ServerParts[Part]> | ServerParts[Part] };

async function serve(stubs: Stubs) {
  await using undo = new AsyncDisposableStack();
  const root = undo.use(await tempRoot('server'));
  const warnings: string[] = [];
  const parts = {
    version: () => ({ Version: '0.0.0' }),
    warn: (message: string) => warnings.push(message),
    ...stubs,
  } as unknown as ServerParts;
  const server = createServer(parts);
  const subject: Subject = { name: 'berth', socketPath: root.join('api.sock') };
  server.listen(subject.socketPath);
  await once(server, 'listening');
  undo.defer(async () => {
    server.close();
    server.closeAllConnections();
  });
  const kept = undo.move();
  return { subject, warnings, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

const PULL = 'POST /images/create?fromImage=ubuntu&tag=24.04';

test('a pull that fails before its first line answers with the status, code and hint of its error', async () => {
  const pull = async () => {
    throw new BerthError('unauthorized', 'the registry wants credentials', { hint: 'docker login' });
  };
  await using engine = await serve({ images: { pull } });
  const { status, json } = await ask(engine.subject, PULL);
  assert.equal(status, 401);
  assert.deepEqual(json(), {
    message: 'the registry wants credentials',
    code: 'unauthorized',
    hint: 'docker login',
  });
});

test('a pull that fails after its first line ends with a line that says so', async () => {
  const pull: ServerParts['images']['pull'] = async ({ reference, onProgress }) => {
    onProgress({ status: `Pulling ${reference}` });
    throw new BerthError('unavailable', 'the registry is down', { hint: 'try again' });
  };
  await using engine = await serve({ images: { pull } });
  const { status, lines } = await ask(engine.subject, PULL);
  assert.equal(status, 200);
  assert.deepEqual(lines(), [
    { status: 'Pulling ubuntu:24.04' },
    {
      errorDetail: { message: 'the registry is down' },
      error: 'the registry is down',
      code: 'unavailable',
      hint: 'try again',
    },
  ]);
});

test('a client that goes away cancels its pull', async () => {
  const pulling = Promise.withResolvers<AbortSignal>();
  const pull: ServerParts['images']['pull'] = async ({ signal, onProgress }) => {
    onProgress({ status: 'Pulling' });
    pulling.resolve(signal);
    await once(signal, 'abort');
    signal.throwIfAborted();
  };
  await using engine = await serve({ images: { pull } });
  const leave = new AbortController();
  await begin(engine.subject, PULL, { signal: leave.signal });
  const signal = await pulling.promise;
  assert.equal(signal.aborted, false);
  leave.abort();
  if (!signal.aborted) await once(signal, 'abort');
  assert.deepEqual(engine.warnings, []);
});

test("an error that is the engine's own is a 500, and the operator learns where it came from", async () => {
  const list = () => {
    throw new TypeError('of all things');
  };
  await using engine = await serve({ images: { list } });
  const { status, json } = await ask(engine.subject, 'GET /images/json');
  assert.deepEqual([status, json().message, json().code], [500, 'of all things', 'internal']);
  assert.match(engine.warnings.join(), /GET \/images\/json: TypeError: of all things\n +at /);
});

test('logs that break off are not taken for all there is', async () => {
  async function* output() {
    yield { stream: 'stdout' as const, data: Buffer.from('half') };
    throw new Error('the disk has gone');
  }
  const logs = () => ({ tty: true, output: output() });
  await using engine = await serve({ containers: { logs } });
  await assert.rejects(ask(engine.subject, 'GET /containers/x/logs?stdout=1'), /aborted|terminated/);
  assert.equal(engine.warnings.length, 1);
});

test('a body that is too long is refused, and the connection goes on', async () => {
  await using engine = await serve({});
  const body = `"${'x'.repeat(5 * 2 ** 20)}"`;
  const { status, json } = await ask(engine.subject, 'POST /containers/create', { body });
  assert.deepEqual([status, json().message], [400, "the request's body is longer than 4 MiB"]);
});

test('what a query or path holds is checked against the operations table', async () => {
  await using engine = await serve({});
  const wrong = {
    'GET /containers/json?limit=many': /invalid value 'many' for limit/,
    'POST /containers/x/stop?t=-2': /for t: expected at least -1/,
    'POST /containers/x/resize?h=70000&w=1': /for h: expected at most 65535/,
    'POST /containers/x/wait?condition=tuesday': /for condition: expected one of/,
    'GET /containers/x/logs?stdout=1&tail=some': /for tail/,
    'GET /images/json?filters=%7B%22a%22%3A1%7D': /is not a map of lists/,
    'GET /containers/%zz/json': /is not URL-encoded/,
  };
  for (const [line, words] of Object.entries(wrong)) {
    const { status, json } = await ask(engine.subject, line);
    assert.equal(status, 400, line);
    assert.match(json().message, words);
  }
});
