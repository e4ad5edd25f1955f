import assert from 'node:assert/strict';
import { connect } from 'node:net';
import test from 'node:test';
import { make, run } from '../../workshop/testing/api/containers.ts';
import { openRaw, UPGRADE } from '../../workshop/testing/api/wire.ts';
import { startEngine } from '../../workshop/testing/engine.ts';
import { openFiles } from '../../workshop/testing/held.ts';

async function until(holds: () => boolean, what: () => string): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error(what());
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test('clients that go away, in whatever they are at, leave nothing open', { timeout: 120_000 }, async () => {
  await using engine = await startEngine();
  await using talking = await run(engine, 'while :; do echo tick; sleep 0.05; done', { OpenStdin: true });
  await using silent = await run(engine, 'sleep 1000', { OpenStdin: true, Tty: true });
  await using created = await make(engine, ['true']);
  const exec = async () => {
    const { Id } = await engine.client.call(
      'execCreate',
      { id: talking.id },
      { body: { Cmd: ['cat'], AttachStdin: true, AttachStdout: true } },
    );
    return Id;
  };
  const streams = 'stream=1&stdin=1&stdout=1&stderr=1';
  const lines: readonly (readonly [line: string, headers?: readonly string[], body?: string])[] = [
    ['GET /events'],
    ['GET /events?since=0'],
    [`POST /containers/${talking.id}/wait`],
    [`POST /containers/${created.id}/wait?condition=next-exit`],
    [`POST /containers/${talking.id}/wait?condition=removed`],
    [`GET /containers/${talking.id}/logs?follow=1&stdout=1`],
    [`GET /containers/${silent.id}/logs?follow=1&stdout=1`],
    [`GET /containers/${talking.id}/stats`],
    [`GET /containers/${talking.id}/export`],
    [`GET /containers/${talking.id}/archive?path=/bin`],
    [`POST /containers/${talking.id}/attach?${streams}`, UPGRADE],
    [`POST /containers/${talking.id}/attach?${streams}`],
    [`POST /containers/${silent.id}/attach?${streams}`, UPGRADE],
    [`POST /containers/${silent.id}/attach?${streams}`],
    [`POST /containers/${silent.id}/attach?stream=1&stdout=1`, UPGRADE],
    [`POST /containers/${created.id}/attach?${streams}`, UPGRADE],
  ];
  /** Heads whose bodies never come, or never end. */
  const halves = [
    'POST /containers/create HTTP/1.1\r\nHost: e\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{',
    `PUT /containers/${created.id}/archive?path=/ HTTP/1.1\r\nHost: e\r\nContent-Length: 9999\r\n\r\nhalf a tar`,
    'POST /images/create?fromSrc=- HTTP/1.1\r\nHost: e\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n',
    'GET /_ping HTTP/1.1\r\nHost',
    'POST /containers/x/att',
  ];
  const all = async () => {
    const execs = [
      [`POST /exec/${await exec()}/start`, UPGRADE, '{}'],
      [`POST /exec/${await exec()}/start`, [], '{}'],
    ] as const;
    const opened = await Promise.all(
      [...lines, ...execs].map(async ([line, headers = [], body = '']) => {
        const stream = await openRaw(engine, line, { headers, body });
        // As docker's command line does, which goes later.
        if (line.endsWith('/attach?stream=1&stdout=1')) stream.socket.end();
        return stream;
      }),
    );
    for (const { status, head } of opened) assert.ok(status === 200 || status === 101, head);
    const sockets = halves.map((text) => {
      const socket = connect(engine.socketPath);
      socket.write(text);
      return socket;
    });
    const open = openFiles(engine.pid());
    for (const { socket } of opened) socket.destroy();
    for (const socket of sockets) socket.destroy();
    return open;
  };
  // The first time opens what stays open for good.
  await all();
  let before = 0;
  let since = Date.now();
  await until(
    () => {
      const now = openFiles(engine.pid());
      if (now !== before) since = Date.now();
      before = now;
      return Date.now() - since > 1000;
    },
    () => `${before} descriptors, and never for long`,
  );
  const open = await all();
  assert.ok(open > before, `${open} descriptors with all of them open, ${before} before`);
  await until(
    () => openFiles(engine.pid()) <= before,
    () => `${openFiles(engine.pid())} descriptors, ${before} before`,
  );
  assert.equal((await engine.client.call('containerInspect', { id: talking.id })).State.Running, true);
});
