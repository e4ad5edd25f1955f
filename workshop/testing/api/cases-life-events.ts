import assert from 'node:assert/strict';
import type { Case } from './case.ts';
import { make, NETWORKED, ran, run, uniqueName } from './containers.ts';
import { ask, differs, type Loose, openRaw, type Subject, UPGRADE } from './wire.ts';

const filters = (value: object) => encodeURIComponent(JSON.stringify(value));
const seconds = (laterMs = 0) => ((Date.now() + laterMs) / 1000).toFixed(3);

/** What the engine has told of a container since then, of its network too: action, and attributes but the usual ones. */
async function told(subject: Subject, id: string, since: string): Promise<readonly Loose[]> {
  // An event of this very millisecond may be a moment later by the engine's clock.
  const line = `GET /v1.41/events?since=${since}&until=${seconds(50)}`;
  const events = (await ask(subject, line)).lines() as Loose[];
  return events
    .filter(({ Type, Actor }) => Actor.ID === id || (Type === 'network' && Actor.Attributes.container === id))
    .map(({ Type, Action, Actor: { Attributes } }) => {
      const { name, image, execDuration, container, type, ...more } = Attributes;
      assert.equal(execDuration !== undefined, Action === 'die' && differs(subject, tellsDuration));
      if (Type === 'container') assert.equal(image, 'busybox');
      else assert.deepEqual([name, type], ['bridge', 'bridge']);
      return [`${Type} ${Action}`, more];
    });
}

const tellsDuration = {
  berth: true,
  dockerd: false,
  because: 'dockerd tells how long a run lasted since version 23',
} as const;
const up = [
  ['network connect', {}],
  ['container start', {}],
];
const died = (exitCode: string) => [
  ['container die', { exitCode }],
  ['network disconnect', {}],
];
const killed = (signal: string) => ['container kill', { signal }];

export const lifeEventCases: Readonly<Record<string, Case>> = {
  'every action is told, with its attributes and in its order': async (subject) => {
    const since = seconds();
    await using made = await make(subject, ['sleep', '60'], {
      ...NETWORKED,
      Tty: true,
      StopSignal: 'SIGKILL',
    });
    const post = async (what: string, status = 204) =>
      assert.equal((await ask(subject, `POST /v1.41/containers/${made.id}/${what}`)).status, status, what);
    const [first, second] = [uniqueName(), uniqueName()];
    await post('start');
    await post('resize?h=20&w=80', 200);
    await post('pause');
    await post('unpause');
    await post(`rename?name=${first}`);
    await post('kill?signal=CONT');
    await post('restart?t=30');
    await post('stop?t=30');
    await post(`rename?name=${second}`);
    await post('start');
    await post('kill');
    await made.ended();
    assert.equal((await ask(subject, `DELETE /v1.41/containers/${made.id}`)).status, 204);
    const events = await told(subject, made.id, since);
    assert.deepEqual(events, [
      ['container create', {}],
      ...up,
      ['container resize', { height: '20', width: '80' }],
      ['container pause', {}],
      ['container unpause', {}],
      ['container rename', { oldName: `/${made.name}` }],
      killed('18'),
      killed('9'),
      ...died('137'),
      ['container stop', {}],
      ...up,
      ['container restart', {}],
      killed('9'),
      ...died('137'),
      ['container stop', {}],
      ['container rename', { oldName: `/${first}` }],
      ...up,
      killed('9'),
      ...died('137'),
      ['container destroy', {}],
    ]);
  },
  'an event carries the name that the container has by then': async (subject) => {
    const since = seconds();
    await using made = await make(subject, ['true']);
    const name = uniqueName();
    await ask(subject, `POST /v1.41/containers/${made.id}/rename?name=${name}`);
    await made.start();
    await made.ended();
    const line = `GET /v1.41/events?since=${since}&until=${seconds(50)}&filters=${filters({ container: [name] })}`;
    const names = (await ask(subject, line))
      .lines()
      .map(({ Action, Actor }: Loose) => [Action, Actor.Attributes.name]);
    assert.deepEqual(names, [
      ['rename', name],
      ['start', name],
      ['die', name],
    ]);
  },
  'a start that fails comes onto the network and leaves it': async (subject) => {
    const since = seconds();
    await using made = await make(subject, ['no-such-program'], NETWORKED);
    assert.equal((await ask(subject, `POST /v1.41/containers/${made.id}/start`)).status, 400);
    assert.deepEqual(await told(subject, made.id, since), [
      ['container create', {}],
      ['network connect', {}],
      ['network disconnect', {}],
    ]);
  },
  'a restart by policy is an end and a start': async (subject) => {
    const since = seconds();
    await using made = await run(subject, 'exit 5', {
      ...NETWORKED,
      HostConfig: { RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 1 } },
    });
    for (;;) {
      const { State, RestartCount } = await made.inspect();
      if (State.Status === 'exited' && RestartCount === 1) break;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    for (let looks = 0; looks < 200; looks += 1) {
      const events = await told(subject, made.id, since);
      // That it left the network is told a little after its end.
      if (events.length < 9) continue;
      assert.deepEqual(events, [['container create', {}], ...up, ...died('5'), ...up, ...died('5')]);
      return;
    }
    assert.fail('the second end was never told whole');
  },
  'who attaches and who detaches by its keys is told': async (subject) => {
    const since = seconds();
    await using made = await run(subject, 'cat', { ...NETWORKED, Tty: true, OpenStdin: true });
    const attached = await openRaw(
      subject,
      `POST /v1.41/containers/${made.id}/attach?stream=1&stdin=1&stdout=1`,
      { headers: UPGRADE },
    );
    attached.socket.write('\x10\x11');
    await attached.rest();
    attached.socket.destroy();
    assert.deepEqual(await told(subject, made.id, since), [
      ['container create', {}],
      ...up,
      ['container attach', {}],
      ['container detach', {}],
    ]);
  },
  'events are filtered by type, action, label, image and container, and several must all hold': async (
    subject,
  ) => {
    const since = seconds();
    const label = uniqueName('label');
    await using made = await ran(subject, 'exit 2', { Labels: { [label]: 'yes' } });
    await using other = await ran(subject, 'exit 2', { Labels: { [label]: 'no' } });
    const found = async (filter: object) => {
      const line = `GET /v1.41/events?since=${since}&until=${seconds(50)}&filters=${filters(filter)}`;
      const events = (await ask(subject, line)).lines() as Loose[];
      return events
        .filter(({ Actor }) => [made.id, other.id].includes(Actor.ID))
        .map(({ Action, Actor }) => `${Action} ${Actor.ID === made.id ? 'made' : 'other'}`);
    };
    const life = ['create made', 'start made', 'die made'];
    assert.deepEqual(await found({ container: [made.name] }), life);
    assert.deepEqual(await found({ label: [`${label}=yes`] }), life);
    assert.deepEqual(await found({ label: [label], event: ['die'] }), ['die made', 'die other']);
    assert.deepEqual(await found({ event: ['start', 'die'], container: [other.id] }), [
      'start other',
      'die other',
    ]);
    assert.deepEqual(await found({ image: ['busybox'], event: ['create'] }), ['create made', 'create other']);
    assert.deepEqual(await found({ type: ['network'], container: [made.id] }), []);
    assert.deepEqual(await found({ container: { [made.id]: true }, event: { start: true } }), ['start made']);
  },
};
