import assert from 'node:assert/strict';
import test from 'node:test';
import type { EventMessage } from '../api/wire.ts';
import { openDatabase } from '../state/database.ts';
import { nowNano, openEvents } from './log.ts';

const container = (id: string, action: string, attributes = {}) =>
  ({ type: 'container', action, id, attributes }) as const;

async function collect(source: AsyncIterable<EventMessage>): Promise<readonly string[]> {
  const seen: string[] = [];
  for await (const message of source) seen.push(`${message.Actor.ID} ${message.Action}`);
  return seen;
}

test('past events are given in order, up to until, and the stream ends there', async () => {
  const events = openEvents(openDatabase(':memory:'));
  const since = nowNano();
  events.record(container('one', 'create'));
  events.record(container('two', 'start'));
  const until = nowNano();
  events.record(container('three', 'die'));
  const { signal } = new AbortController();
  assert.deepEqual(await collect(events.follow({ since, until, signal })), ['one create', 'two start']);
});

test('live events follow past ones without a gap and without a double', async () => {
  const events = openEvents(openDatabase(':memory:'));
  const reader = new AbortController();
  const since = nowNano();
  events.record(container('a', 'create'));
  const seen: string[] = [];
  for await (const message of events.follow({ since, signal: reader.signal })) {
    seen.push(message.Actor.ID);
    if (message.Actor.ID === 'a') events.record(container('b', 'create'));
    if (message.Actor.ID === 'b') events.record(container('c', 'create'));
    if (message.Actor.ID === 'c') reader.abort();
  }
  assert.deepEqual(seen, ['a', 'b', 'c']);
});

test('filters take any value of one and all of several', async () => {
  const events = openEvents(openDatabase(':memory:'));
  const since = nowNano();
  events.record(container('one', 'start', { name: 'web', tier: 'front' }));
  events.record(container('two', 'start', { name: 'db', tier: 'back' }));
  events.record(container('one', 'die', { name: 'web', tier: 'front' }));
  const query = { since, until: nowNano(), signal: new AbortController().signal };
  const found = (filter: Record<string, string[]>) => collect(events.follow({ ...query, filter }));
  assert.deepEqual(await found({ event: ['start'] }), ['one start', 'two start']);
  assert.deepEqual(await found({ container: ['web'], event: ['die', 'kill'] }), ['one die']);
  assert.deepEqual(await found({ label: ['tier=back'] }), ['two start']);
  assert.deepEqual(await found({ type: ['image'] }), []);
  assert.throws(() => events.follow({ ...query, filter: { colour: ['red'] } }), /invalid filter 'colour'/);
});

test('an event of a container carries what old clients read', async () => {
  const events = openEvents(openDatabase(':memory:'));
  const since = nowNano();
  events.record(container('one', 'start', { image: 'busybox' }));
  for await (const message of events.follow({
    since,
    until: nowNano(),
    signal: new AbortController().signal,
  })) {
    assert.deepEqual([message.status, message.id, message.from], ['start', 'one', 'busybox']);
    assert.equal(message.time, Math.floor(message.timeNano / 1e9));
  }
});
