import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import test, { after, before, describe } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { startEngine, type TestEngine } from '../../workshop/testing/engine.ts';
import { openFiles } from '../../workshop/testing/held.ts';
import { createBody } from '../api/create.ts';

/** Readers of streams that never end: what one of them does is nobody else's matter, and ends with it. */
describe('readers of streams', () => {
  let engine: TestEngine;
  before(async () => {
    engine = await startEngine();
  });
  after(() => engine[Symbol.asyncDispose]());

  async function running(script: string): Promise<AsyncDisposable & { readonly id: string }> {
    const { client } = engine;
    const body = createBody('busybox', ['sh', '-c', script], {});
    const { Id: id } = await client.call('containerCreate', {}, { body });
    await client.act('containerStart', { id });
    return {
      id,
      [Symbol.asyncDispose]: async () => void (await client.act('containerRemove', { id, force: true })),
    };
  }

  /** A stream of which nothing is read but its head. */
  async function open(path: string): Promise<{ readonly answer: IncomingMessage; leave(): void }> {
    const sent = request({ socketPath: engine.socketPath, path, agent: false });
    sent.on('error', () => undefined);
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      sent.once('response', resolve).once('error', reject).end();
    });
    answer.on('error', () => undefined);
    return { answer, leave: () => void sent.destroy() };
  }

  const descriptors = () => openFiles(engine.pid());
  const memory = () =>
    Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${engine.pid()}/status`, 'utf8'))?.[1]) * 1024;
  const listeners = async () => Number((await engine.client.call('info', {})).NEventsListener);

  async function eventually(holds: () => boolean | Promise<boolean>, what: () => string): Promise<void> {
    for (const deadline = Date.now() + 20_000; !(await holds()); await delay(20))
      assert.ok(Date.now() < deadline, what());
  }

  test('who goes away leaves nothing of logs, stats and events behind', async () => {
    await using container = await running('echo up; sleep 1000');
    // The first of each leaves open what stays so: inotify, and a kept connection.
    for (const kind of ['logs?follow=1&stdout=1', 'stats']) {
      const stream = await open(`/v1.47/containers/${container.id}/${kind}`);
      stream.answer.resume();
      stream.leave();
    }
    await eventually(
      async () => (await listeners()) === 0,
      () => 'there are listeners',
    );
    await delay(100);
    const idle = descriptors();
    const kinds = ['logs?follow=1&stdout=1', 'stats', 'stats'];
    const paths = [...kinds.map((kind) => `/v1.47/containers/${container.id}/${kind}`), '/v1.47/events'];
    const streams = [];
    for (let round = 0; round < 5; round += 1) {
      for (const path of paths) streams.push(await open(path));
    }
    await eventually(
      async () => (await listeners()) === 5,
      () => 'not all events are followed',
    );
    assert.ok(descriptors() >= idle + streams.length);
    for (const { leave } of streams) leave();
    await eventually(
      async () => (await listeners()) === 0,
      () => 'events are followed still',
    );
    await eventually(
      () => descriptors() <= idle,
      () => `${descriptors()} descriptors, ${idle} when idle`,
    );
  });

  test('who does not read holds up nobody, and takes no memory', async () => {
    await using container = await running('yes "a line that is written as fast as can be"');
    const stalled = [];
    for (let count = 0; count < 3; count += 1)
      stalled.push(await open(`/v1.47/containers/${container.id}/logs?follow=1&stdout=1`));
    const before = memory();
    const reader = await open(`/v1.47/containers/${container.id}/logs?follow=1&stdout=1`);
    let bytes = 0;
    for await (const chunk of reader.answer as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > 64 * 2 ** 20) break;
    }
    const grown = memory() - before;
    assert.ok(grown < 100 * 2 ** 20, `grown by ${Math.round(grown / 2 ** 20)} MiB`);
    const stats = await open(`/v1.47/containers/${container.id}/stats?stream=0&one-shot=1`);
    assert.match(String((await stats.answer.toArray()).join('')), /"system_cpu_usage"/);
    for (const { leave } of [...stalled, reader]) leave();
  });
});
