import assert from 'node:assert/strict';
import type { Case } from './case.ts';
import { make, ran, run, uniqueName } from './containers.ts';
import { ask, differs, type Loose } from './wire.ts';

const filters = (value: object) => encodeURIComponent(JSON.stringify(value));
const internal = {
  berth: 400,
  dockerd: 500,
  because: 'dockerd 20.10 calls a filter that it cannot read internal',
} as const;

/** A container of each kind, told apart from other cases' by a label; prunes here must name it. */
export const pruneCases: Readonly<Record<string, Case>> = {
  'a prune removes what does not run and has the labels': async (subject) => {
    const label = uniqueName('label');
    const labelled = { Labels: { [label]: 'one' } };
    await using ended = await ran(subject, 'echo hello > /x; head -c 100000 /dev/zero > /y', labelled);
    await using created = await make(subject, ['true'], labelled);
    await using running = await run(subject, 'sleep 60', labelled);
    await using kept = await make(subject, ['true'], { Labels: { [label]: 'two', keep: '' } });
    const prune = async (filter: object) =>
      (await ask(subject, `POST /v1.41/containers/prune?filters=${filters(filter)}`)).json();
    const nothing = { ContainersDeleted: null, SpaceReclaimed: 0 };
    assert.deepEqual(await prune({ label: [`${label}=three`] }), nothing);
    assert.deepEqual(await prune({ label: [label], until: ['10m'] }), nothing);
    assert.deepEqual(await prune({ label: [label, 'absent'] }), nothing);
    const since = ((Date.now() - 1) / 1000).toFixed(3);
    const { ContainersDeleted, SpaceReclaimed } = await prune({
      label: [label],
      'label!': ['keep'],
      until: [String(Math.ceil(Date.now() / 1000) + 60)],
    });
    assert.deepEqual(ContainersDeleted.toSorted(), [ended.id, created.id].toSorted());
    assert.equal(SpaceReclaimed, 100_006);
    assert.equal((await running.inspect()).State.Status, 'running');
    assert.equal((await kept.inspect()).State.Status, 'created');
    const until = ((Date.now() + 50) / 1000).toFixed(3);
    const events = (
      await ask(
        subject,
        `GET /v1.41/events?since=${since}&until=${until}&filters=${filters({ event: ['prune'] })}`,
      )
    ).lines();
    assert.ok(
      events.some(
        ({ Type, Actor }: Loose) =>
          Type === 'container' && Actor.ID === '' && Actor.Attributes.reclaimed === '100006',
      ),
      JSON.stringify(events),
    );
  },
  'a filter of a prune that is none is refused': async (subject) => {
    const statuses: Record<string, number> = {};
    for (const filter of [{ colour: ['red'] }, { until: ['soon'] }, { until: ['1', '2'] }]) {
      const { status } = await ask(subject, `POST /v1.41/containers/prune?filters=${filters(filter)}`);
      statuses[JSON.stringify(filter)] = status;
    }
    assert.deepEqual(statuses, {
      '{"colour":["red"]}': 400,
      '{"until":["soon"]}': differs(subject, internal),
      '{"until":["1","2"]}': differs(subject, internal),
    });
  },
};
