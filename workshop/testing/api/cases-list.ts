import assert from 'node:assert/strict';
import type { Case } from './case.ts';
import { make, NETWORKED, ran, run, uniqueName } from './containers.ts';
import { ask, defaultNetwork, differs } from './wire.ts';

const filters = (value: object) => encodeURIComponent(JSON.stringify(value));

type Row = { Id: string; Names: string[]; State: string; Status: string };

export const listCases: Readonly<Record<string, Case>> = {
  'list shows running ones, or all, the newest first': async (subject) => {
    const label = uniqueName('label');
    const labelled = { Labels: { suite: label } };
    await using first = await ran(subject, 'true', labelled);
    await using second = await run(subject, 'sleep 60', labelled);
    await using third = await make(subject, ['true'], labelled);
    const list = async (query: string, more: object = {}) =>
      (
        await ask(
          subject,
          `GET /v1.41/containers/json?${query}&filters=${filters({ label: [`suite=${label}`], ...more })}`,
        )
      ).json() as Row[];
    const ids = (rows: readonly Row[]) => rows.map(({ Id }) => Id);
    assert.deepEqual(ids(await list('')), [second.id]);
    assert.deepEqual(ids(await list('all=1')), [third.id, second.id, first.id]);
    assert.deepEqual(ids(await list('all=1&limit=2')), [third.id, second.id]);
    assert.deepEqual(ids(await list('limit=1')), [third.id]);
    assert.deepEqual(ids(await list('', { status: ['exited'] })), [first.id]);
    assert.deepEqual(ids(await list('all=0', { status: ['created', 'running'] })), [third.id, second.id]);
    assert.deepEqual(ids(await list('all=1', { name: [second.name] })), [second.id]);
    assert.deepEqual(ids(await list('all=1', { id: [first.id.slice(0, 12)] })), [first.id]);
    assert.deepEqual(ids(await list('all=1', { ancestor: ['busybox'] })), [third.id, second.id, first.id]);
    assert.deepEqual(ids(await list('all=1', { exited: ['0'] })), [first.id]);
    assert.deepEqual(await list('all=1', { name: ['nobody'] }), []);
    const [row] = await list('');
    assert.deepEqual([row?.Names, row?.State], [[`/${second.name}`], 'running']);
    assert.match(row?.Status ?? '', /^Up /);
    const [exited] = await list('all=1', { status: ['exited'] });
    assert.match(exited?.Status ?? '', /^Exited \(0\) /);
    const [created] = await list('all=1', { status: ['created'] });
    assert.equal(created?.Status, 'Created');
  },
  'a row of the list has what clients read': async (subject) => {
    await using made = await run(subject, 'sleep 60', { ...NETWORKED, Labels: { a: 'b' } });
    const rows = (
      await ask(subject, `GET /v1.41/containers/json?filters=${filters({ id: [made.id] })}`)
    ).json();
    const [row] = rows;
    assert.equal(row.Image, 'busybox');
    assert.match(row.ImageID, /^sha256:/);
    assert.equal(row.Command, "sh -c 'sleep 60'");
    assert.equal(typeof row.Created, 'number');
    assert.deepEqual([row.Ports, row.Mounts, row.Labels], [[], [], { a: 'b' }]);
    assert.equal(row.HostConfig.NetworkMode, differs(subject, defaultNetwork));
    assert.match(row.NetworkSettings.Networks.bridge.IPAddress, /^\d+\.\d+\.\d+\.\d+$/);
  },
  'filters come in both spellings, and an unknown one is refused': async (subject) => {
    const label = uniqueName('label');
    await using made = await make(subject, ['true'], { Labels: { [label]: '' } });
    for (const spelling of [{ label: [label] }, { label: { [label]: true } }]) {
      const rows = (
        await ask(subject, `GET /v1.41/containers/json?all=1&filters=${filters(spelling)}`)
      ).json();
      assert.deepEqual(
        rows.map(({ Id }: Row) => Id),
        [made.id],
      );
    }
    const unknown = await ask(subject, `GET /v1.41/containers/json?filters=${filters({ colour: ['red'] })}`);
    assert.equal(unknown.status, 400);
    assert.match(unknown.json().message, /invalid filter 'colour'/i);
    for (const query of ['filters=nonsense', 'limit=many']) {
      const { status } = await ask(subject, `GET /v1.41/containers/json?${query}`);
      assert.equal(
        status,
        differs(subject, {
          berth: 400,
          dockerd: 500,
          because: 'dockerd 20.10 calls a query that it cannot read internal',
        }),
        query,
      );
    }
  },
  'query keys that nobody knows are ignored': async (subject) => {
    assert.equal((await ask(subject, 'GET /v1.41/containers/json?colour=red&all=1')).status, 200);
  },
};
