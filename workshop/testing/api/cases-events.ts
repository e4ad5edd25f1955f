import assert from 'node:assert/strict';
import type { Case } from './case.ts';
import { ran } from './containers.ts';
import { ask, differs, openRaw } from './wire.ts';

const filters = (value: object) => encodeURIComponent(JSON.stringify(value));
/** Seconds since 1970, as clients send them; `laterMs` after now, for what has happened in this very millisecond. */
const now = (laterMs = 0) => ((Date.now() + laterMs) / 1000).toFixed(3);

export const eventCases: Readonly<Record<string, Case>> = {
  'events tell the life of a container in order, in the past too': async (subject) => {
    const since = now();
    const made = await ran(subject, 'exit 4', { Labels: { team: 'harbour' } });
    await made[Symbol.asyncDispose]();
    const line = `GET /v1.41/events?since=${since}&until=${now(50)}&filters=${filters({ container: [made.id] })}`;
    const { status, headers, lines } = await ask(subject, line);
    assert.equal(status, 200);
    assert.match(String(headers['content-type']), /^application\/json/);
    const events = lines();
    assert.deepEqual(
      events.map(({ Action }) => Action),
      ['create', 'start', 'die', 'destroy'],
    );
    const die = events[2];
    assert.deepEqual(
      [die.Type, die.status, die.id, die.from, die.scope],
      ['container', 'die', made.id, 'busybox', 'local'],
    );
    assert.equal(die.Actor.ID, made.id);
    assert.equal(die.Actor.Attributes.exitCode, '4');
    assert.equal(die.Actor.Attributes.name, made.name);
    assert.equal(die.Actor.Attributes.image, 'busybox');
    assert.equal(die.Actor.Attributes.team, 'harbour');
    assert.equal(Math.floor(die.timeNano / 1e9), die.time);
  },
  'events send their headers at once, come live, and end at until': async (subject) => {
    const only = filters({ type: ['container'], event: ['die'] });
    const live = await openRaw(subject, `GET /v1.41/events?filters=${only}`);
    assert.equal(live.status, 200);
    await using made = await ran(subject, 'exit 0');
    let text = '';
    for await (const chunk of live.socket) {
      text += chunk;
      if (text.includes(made.id)) break;
    }
    assert.ok(!text.includes('"Action":"start"'));
    const ended = await ask(subject, `GET /v1.41/events?until=${now(500)}&filters=${only}`);
    assert.equal(ended.status, 200);
  },
  'events in the past alone end at once': async (subject) => {
    const { status, text } = await ask(subject, 'GET /v1.41/events?since=1&until=2');
    assert.deepEqual([status, text], [200, '']);
  },
  'a moment that is none is refused': async (subject) => {
    for (const query of ['since=yesterday', 'until=soon&since=0']) {
      const { status } = await ask(subject, `GET /v1.41/events?${query}`);
      assert.equal(
        status,
        differs(subject, {
          berth: 400,
          dockerd: 500,
          because: 'dockerd 20.10 calls a query that it cannot read internal',
        }),
      );
    }
  },
  'an unknown filter of events': async (subject) => {
    const { status } = await ask(
      subject,
      `GET /v1.41/events?until=1&filters=${filters({ colour: ['red'] })}`,
    );
    assert.equal(
      status,
      differs(subject, {
        berth: 400,
        dockerd: 200,
        because: 'dockerd does not look at the names of its filters here',
      }),
    );
  },
};
