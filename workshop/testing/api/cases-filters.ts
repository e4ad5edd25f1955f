import assert from 'node:assert/strict';
import type { Case } from './case.ts';
import { make, ran, run, uniqueName } from './containers.ts';
import { ask, differs, type Loose, type Subject } from './wire.ts';

const filters = (value: object) => encodeURIComponent(JSON.stringify(value));
const internal = {
  berth: 400,
  dockerd: 500,
  because: 'dockerd 20.10 calls a filter that it cannot read internal',
} as const;

/** Makes three containers: one that ended with 3, one that runs, one that never started; all with a label of their own. */
async function three(subject: Subject) {
  const label = uniqueName('label');
  const more = { Labels: { [label]: 'yes' }, ExposedPorts: { '80/tcp': {}, '53/udp': {} } };
  await using undo = new AsyncDisposableStack();
  const ended = undo.use(await ran(subject, 'exit 3', more));
  const running = undo.use(
    await run(subject, 'sleep 60', { ...more, HostConfig: { Binds: ['/tmp:/from-the-host'] } }),
  );
  const created = undo.use(await make(subject, ['true'], more));
  const names = new Map([
    [ended.id, 'ended'],
    [running.id, 'running'],
    [created.id, 'created'],
  ]);
  const kept = undo.move();
  return {
    ended,
    running,
    created,
    /** Which of the three a list shows, in its order. */
    list: async (filter: object, query = 'all=1') => {
      const path = `/v1.41/containers/json?${query}&filters=${filters({ label: [label], ...filter })}`;
      const { status, text, json } = await ask(subject, `GET ${path}`);
      assert.equal(status, 200, text);
      return json().map(({ Id }: Loose) => names.get(Id)) as readonly string[];
    },
    [Symbol.asyncDispose]: () => kept[Symbol.asyncDispose](),
  };
}

const everyone = ['created', 'running', 'ended'];

export const filterCases: Readonly<Record<string, Case>> = {
  'a list is filtered by what docker filters it by': async (subject) => {
    await using these = await three(subject);
    const { ended, running, created, list } = these;
    assert.deepEqual(await list({}), everyone);
    assert.deepEqual(await list({ exited: ['3'] }), ['ended']);
    assert.deepEqual(await list({ exited: ['0', '1'] }), []);
    assert.deepEqual(await list({ exited: ['3'] }, 'all=0'), []);
    assert.deepEqual(await list({ status: ['exited', 'created'] }, 'all=0'), ['created', 'ended']);
    assert.deepEqual(await list({ status: ['paused', 'restarting', 'dead', 'removing'] }), []);
    assert.deepEqual(await list({ since: [ended.name] }), ['created', 'running']);
    assert.deepEqual(await list({ since: [running.id] }), ['created']);
    assert.deepEqual(await list({ before: [created.id] }), ['running', 'ended']);
    assert.deepEqual(await list({ before: [created.name], since: [ended.name] }), ['running']);
    assert.deepEqual(await list({ name: [`^${running.name}$`] }), ['running']);
    assert.deepEqual(await list({ name: [`^/${running.name}$`, ended.name] }), ['running', 'ended']);
    assert.deepEqual(await list({ id: [running.id] }), ['running']);
    assert.deepEqual(await list({ ancestor: ['busybox'] }), everyone);
    const { Image } = await running.inspect();
    assert.deepEqual(await list({ ancestor: [Image] }), everyone);
    assert.deepEqual(await list({ ancestor: ['nobody'] }), []);
    assert.deepEqual(await list({ network: ['bridge'] }), everyone);
    const [bridge] = (
      await ask(subject, `GET /v1.41/networks?filters=${filters({ name: ['bridge'] })}`)
    ).json();
    assert.deepEqual(
      await list({ network: [bridge.Id] }),
      differs(subject, {
        berth: everyone,
        dockerd: ['running', 'ended'],
        because: 'dockerd knows the id of a network only of containers that were on it',
      }),
    );
    assert.deepEqual(await list({ network: ['nobody'] }), []);
    assert.deepEqual(await list({ volume: ['/from-the-host'] }), ['running']);
    assert.deepEqual(await list({ volume: ['/tmp'] }), ['running']);
    assert.deepEqual(await list({ volume: ['/nowhere'] }), []);
    assert.deepEqual(await list({ expose: ['80'] }), ['running']);
    assert.deepEqual(await list({ expose: ['50-60/udp'] }), ['running']);
    assert.deepEqual(await list({ expose: ['80/udp'] }), []);
    assert.deepEqual(await list({ publish: ['80'] }), []);
    assert.deepEqual(await list({ health: ['none'] }), everyone);
    assert.deepEqual(await list({ health: ['healthy'] }), []);
    assert.deepEqual(await list({ 'is-task': ['false'] }), everyone);
    assert.deepEqual(await list({ 'is-task': ['true'] }), []);
    assert.deepEqual(await list({ isolation: ['default'] }), everyone);
    assert.deepEqual(await list({}, 'limit=2'), ['created', 'running']);
    assert.deepEqual(await list({}, 'limit=-1'), ['running']);
    assert.deepEqual(await list({}, ''), ['running']);
  },
  'a filter with a value that it can not have is refused, and names it': async (subject) => {
    const wrong: readonly (readonly [object, number])[] = [
      [{ status: ['happy'] }, 400],
      [{ health: ['happy'] }, 400],
      [{ 'is-task': ['perhaps'] }, 400],
      [{ 'label!': ['x'] }, 400],
      [{ exited: ['x'] }, differs(subject, internal)],
      [{ expose: ['x'] }, differs(subject, internal)],
      [{ publish: ['80:90'] }, differs(subject, internal)],
      [
        { before: ['nobody'] },
        differs(subject, { berth: 404, dockerd: 500, because: 'dockerd 20.10 calls it internal' }),
      ],
    ];
    for (const [filter, expected] of wrong) {
      const { status, json } = await ask(subject, `GET /v1.41/containers/json?filters=${filters(filter)}`);
      assert.equal(status, expected, JSON.stringify(filter));
      const [name = '', [value = '']] = Object.entries(filter)[0] as [string, string[]];
      const { message } = json();
      assert.ok(message.includes(name) || message.includes(value) || subject.name === 'dockerd', message);
    }
  },
  'sizes are told where they are asked for': async (subject) => {
    const script =
      'echo hello > /x; head -c 100000 /dev/zero > /y; ln /y /z; ln -s /etc/passwd /away; rm /bin/[';
    await using made = await ran(subject, script);
    const inspect = async (query: string) =>
      (await ask(subject, `GET /v1.41/containers/${made.id}/json?${query}`)).json();
    const { SizeRw, SizeRootFs } = await inspect('size=1');
    const linkBytes = '/etc/passwd'.length;
    assert.equal(SizeRw, 100_006 + linkBytes);
    assert.ok(SizeRootFs > SizeRw + 100_000);
    const without = await inspect('');
    assert.deepEqual([without.SizeRw, without.SizeRootFs], [undefined, undefined]);
    const list = async (query: string) =>
      (
        await ask(subject, `GET /v1.41/containers/json?all=1&${query}&filters=${filters({ id: [made.id] })}`)
      ).json()[0];
    const row = await list('size=1');
    assert.deepEqual([row.SizeRw, row.SizeRootFs], [SizeRw, SizeRootFs]);
    const bare = await list('');
    assert.deepEqual([bare.SizeRw, bare.SizeRootFs], [undefined, undefined]);
    await using untouched = await make(subject, ['true']);
    const fresh = (await ask(subject, `GET /v1.41/containers/${untouched.id}/json?size=1`)).json();
    assert.deepEqual([fresh.SizeRw, fresh.SizeRootFs], [0, SizeRootFs - SizeRw]);
  },
};
