import assert from 'node:assert/strict';
import type { Case } from './case.ts';
import { make, uniqueName } from './containers.ts';
import { assertFits, nothing } from './fits.ts';
import { ask, differs, type Loose, type Subject } from './wire.ts';

const API = '/v1.41';
const encode = (filters: object) => encodeURIComponent(JSON.stringify(filters));

/** A volume that a case makes, removed at its end whatever became of it. */
export async function makeVolume(
  subject: Subject,
  more: Loose = {},
): Promise<AsyncDisposable & { readonly name: string }> {
  const created = await ask(subject, `POST ${API}/volumes/create`, {
    body: { Name: uniqueName('volume'), ...more },
  });
  if (created.status !== 201) throw new Error(`create: ${created.status} ${created.text}`);
  const name = created.json().Name as string;
  return {
    name,
    [Symbol.asyncDispose]: async () => {
      const removed = await ask(subject, `DELETE ${API}/volumes/${name}?force=1`);
      if (removed.status !== 204) throw new Error(`remove: ${removed.text}`);
    },
  };
}

const namesOf = ({ Volumes }: Loose): readonly string[] => (Volumes ?? []).map(({ Name }: Loose) => Name);

/** Volumes by themselves. */
export const volumeCases: Readonly<Record<string, Case>> = {
  'a volume is created, shown, listed and removed': async (subject) => {
    const body = { Name: uniqueName('volume'), Driver: 'local', Labels: { team: 'harbour' } };
    const created = await ask(subject, `POST ${API}/volumes/create`, { body });
    assert.equal(created.status, 201, created.text);
    const volume = created.json();
    assertFits(volume, {
      Name: body.Name,
      Driver: 'local',
      Mountpoint: new RegExp(`/volumes/${body.Name}/_data$`),
      CreatedAt: /^\d{4}-\d\d-\d\dT/,
      Labels: body.Labels,
      Scope: 'local',
      Options: nothing,
    });
    assert.deepEqual((await ask(subject, `GET ${API}/volumes/${body.Name}`)).json(), volume);
    const listed = (await ask(subject, `GET ${API}/volumes`)).json();
    assert.ok(nothing(listed.Warnings));
    assert.deepEqual(
      listed.Volumes.find(({ Name }: Loose) => Name === body.Name),
      volume,
    );
    // Once more is no fault, and gives the one there is.
    const again = await ask(subject, `POST ${API}/volumes/create`, { body: { Name: body.Name } });
    assert.deepEqual([again.status, again.json().Name], [201, body.Name]);
    assert.equal((await ask(subject, `DELETE ${API}/volumes/${body.Name}`)).status, 204);
    const gone = await ask(subject, `GET ${API}/volumes/${body.Name}`);
    assert.equal(gone.status, 404);
    assert.match(gone.json().message, new RegExp(`get ${body.Name}: no such volume`));
    assert.equal((await ask(subject, `DELETE ${API}/volumes/${body.Name}`)).status, 404);
    assert.equal((await ask(subject, `DELETE ${API}/volumes/${body.Name}?force=1`)).status, 204);
  },
  'a volume without a name is given one': async (subject) => {
    await using made = await makeVolume(subject, { Name: '' });
    assert.match(made.name, /^[0-9a-f]{64}$/);
  },
  'a volume that can’t be made is refused': async (subject) => {
    const wrong: readonly [Loose, number, RegExp][] = [
      [{ Name: 'a' }, 400, /volume name is too short/],
      [{ Name: '../up' }, 400, /includes invalid characters for a local volume name/],
      [{ Name: '-x' }, 400, /includes invalid characters for a local volume name/],
      [{ Name: uniqueName(), DriverOpts: { colour: 'red' } }, 400, /invalid option: "colour"/],
      [{ Name: uniqueName(), DriverOpts: { type: 'tmpfs' } }, 400, /missing required option: "device"/],
      [{ Name: uniqueName(), DriverOpts: { o: 'ro' } }, 400, /missing required option: "(device|type)"/],
      [{ Name: uniqueName(), Driver: 'moon' }, 404, /moon/],
    ];
    for (const [body, status, words] of wrong) {
      // dockerd looks for a plugin for a quarter of a minute.
      if (subject.name === 'dockerd' && 'Driver' in body) continue;
      const refused = await ask(subject, `POST ${API}/volumes/create`, { body });
      assert.equal(refused.status, status, JSON.stringify(body));
      assert.match(refused.json().message, words);
    }
  },
  'a list of volumes has filters': async (subject) => {
    const team = uniqueName('team');
    await using one = await makeVolume(subject, { Labels: { [team]: 'a' } });
    await using two = await makeVolume(subject, { Labels: { [team]: 'b' } });
    await using _user = await make(subject, ['true'], { HostConfig: { Binds: [`${one.name}:/data`] } });
    const found = async (filters: object) => {
      const all = (await ask(subject, `GET ${API}/volumes?filters=${encode(filters)}`)).json();
      return namesOf(all).filter((name) => [one.name, two.name].includes(name));
    };
    const both = [one.name, two.name].toSorted();
    assert.deepEqual((await found({ label: [team] })).toSorted(), both);
    assert.deepEqual(await found({ label: [`${team}=b`] }), [two.name]);
    assert.deepEqual(await found({ name: [one.name.slice(2)] }), [one.name]);
    assert.deepEqual(await found({ label: [team], dangling: ['true'] }), [two.name]);
    assert.deepEqual(await found({ label: [team], dangling: ['false'] }), [one.name]);
    assert.deepEqual((await found({ driver: ['local'] })).toSorted(), both);
    assert.deepEqual(await found({ driver: ['moon'] }), []);
    const unknown = await ask(subject, `GET ${API}/volumes?filters=${encode({ colour: ['red'] })}`);
    assert.equal(unknown.status, 400);
    assert.match(unknown.json().message, /invalid filter 'colour'/i);
  },
  'a prune of volumes takes what no container has': async (subject) => {
    const team = uniqueName('team');
    const labels = { Labels: { [team]: '' } };
    await using used = await makeVolume(subject, labels);
    await using _user = await make(subject, ['true'], { HostConfig: { Binds: [`${used.name}:/data`] } });
    await using unused = await makeVolume(subject, labels);
    await using other = await makeVolume(subject, { Labels: { [team]: '', keep: '' } });
    const filters = encode({ label: [team], 'label!': ['keep'] });
    const pruned = await ask(subject, `POST ${API}/volumes/prune?filters=${filters}`);
    assert.deepEqual(
      [pruned.status, pruned.json()],
      [200, { VolumesDeleted: [unused.name], SpaceReclaimed: 0 }],
    );
    for (const [{ name }, status] of [
      [used, 200],
      [unused, 404],
      [other, 200],
    ] as const)
      assert.equal((await ask(subject, `GET ${API}/volumes/${name}`)).status, status);
  },
  'from 1.42 on a prune of volumes takes those without a name, and all where that is said': async (
    subject,
  ) => {
    if (subject.name === 'dockerd') return;
    const team = uniqueName('team');
    await using named = await makeVolume(subject, { Labels: { [team]: '' } });
    await using unnamed = await makeVolume(subject, { Name: '', Labels: { [team]: '' } });
    const prune = async (filters: object) =>
      (await ask(subject, `POST /v1.42/volumes/prune?filters=${encode(filters)}`)).json().VolumesDeleted;
    assert.deepEqual(await prune({ label: [team] }), [unnamed.name]);
    assert.deepEqual(await prune({ label: [team], all: ['true'] }), [named.name]);
  },
  'a volume tells what became of it among the events': async (subject) => {
    const made = await makeVolume(subject);
    const since = (Date.now() / 1000 - 5).toFixed(3);
    const user = await make(subject, ['true'], { HostConfig: { Binds: [`${made.name}:/data:ro`] } });
    await user.start();
    await user.ended();
    await user[Symbol.asyncDispose]();
    await made[Symbol.asyncDispose]();
    const until = (Date.now() / 1000 + 0.05).toFixed(3);
    const filters = encode({ type: ['volume'], volume: [made.name] });
    const events = (
      await ask(subject, `GET ${API}/events?since=${since}&until=${until}&filters=${filters}`)
    ).lines();
    assert.deepEqual(
      // dockerd tells of a create for each container that would have made it.
      [...new Set(events.map(({ Action }) => Action))],
      ['create', 'mount', 'unmount', 'destroy'],
    );
    assert.deepEqual(
      events.map(({ Actor }) => Actor.ID),
      events.map(() => made.name),
    );
    const attributesOf = (action: string) => events.find(({ Action }) => Action === action).Actor.Attributes;
    assert.deepEqual(attributesOf('mount'), {
      container: user.id,
      destination: '/data',
      driver: 'local',
      propagation: '',
      'read/write': 'false',
    });
    assert.deepEqual(attributesOf('unmount'), { container: user.id, driver: 'local' });
  },
  'system df counts volumes and who has them': async (subject) => {
    await using made = await makeVolume(subject);
    await using user = await make(subject, ['sh', '-c', 'head -c 10000 /dev/zero > /data/file'], {
      HostConfig: { Binds: [`${made.name}:/data`] },
    });
    await user.start();
    await user.ended();
    const { Volumes, Containers } = (await ask(subject, `GET ${API}/system/df`)).json();
    const found = Volumes.find(({ Name }: Loose) => Name === made.name);
    const [mount] = Containers.find(({ Id }: Loose) => Id === user.id).Mounts;
    assert.deepEqual([mount.Name, mount.Driver], [made.name, 'local']);
    assert.equal(found.UsageData.RefCount, 1);
    assert.equal(found.UsageData.Size, 10_000);
    const { UsageData } = (await ask(subject, `GET ${API}/volumes/${made.name}?size=1`)).json();
    const because = 'dockerd tells what a volume takes among all of them alone';
    const told = { berth: { RefCount: 1, Size: 10_000 }, dockerd: undefined, because };
    assert.deepEqual(UsageData, differs(subject, told));
  },
};
