import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import test from 'node:test';
import { exchange } from './http.ts';
import { defaultRegistryLimits, type Endpoint } from './settings.ts';

const limits = defaultRegistryLimits;
const { signal } = new AbortController();
const plain: Endpoint = { url: '', tls: 'unchecked', plainHttp: true, mirror: false };

/** A server that tells what it was asked, or sends the asker elsewhere. */
async function listen(redirect?: (path: string) => string | undefined) {
  const server = createServer((request, response) => {
    const location = redirect?.(request.url ?? '');
    if (location === undefined) response.end(request.url);
    else response.writeHead(302, { location }).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function ask(url: string, endpoint: Endpoint = plain): Promise<string> {
  const answer = await exchange({ url: new URL(url), endpoint, limits, signal });
  let text = '';
  for await (const piece of answer.body) text += piece;
  return text;
}

test("the environment's proxy is used, but not for this machine", async () => {
  await using proxy = await listen();
  await using direct = await listen();
  const before = process.env.http_proxy;
  process.env.http_proxy = proxy.url;
  try {
    assert.equal(await ask('http://registry.invalid/v2/'), 'http://registry.invalid/v2/');
    assert.equal(await ask(`${direct.url}/v2/`), '/v2/');
  } finally {
    if (before === undefined) delete process.env.http_proxy;
    else process.env.http_proxy = before;
  }
});

test('redirects are followed, relative ones too, and not for ever', async () => {
  await using server = await listen((path) => {
    if (path === '/round') return '/round';
    return path === '/first' ? 'second?x=1' : undefined;
  });
  assert.equal(await ask(`${server.url}/first`), '/second?x=1');
  await assert.rejects(ask(`${server.url}/round`), {
    code: 'unavailable',
    message: /redirects more than 5 times/,
  });
});

test('a redirect to another kind of address is refused', async () => {
  await using server = await listen(() => 'file:///etc/passwd');
  await assert.rejects(ask(`${server.url}/`), { code: 'unavailable', message: /malformed address/ });
});

test('a cancelled exchange says so', async () => {
  await using server = await listen();
  const cancelled = exchange({
    url: new URL(server.url),
    endpoint: plain,
    limits,
    signal: AbortSignal.abort(),
  });
  await assert.rejects(cancelled, { code: 'cancelled' });
});
