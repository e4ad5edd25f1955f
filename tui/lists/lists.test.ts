import assert from 'node:assert/strict';
import test from 'node:test';
import type { ContainerSummary, ImageSummary } from '../../engine/api/wire.ts';
import { type Column, formatRow, layoutColumns } from './columns.ts';
import { containerEntry, formatPorts, listContainer } from './containers.ts';
import { settleCursor, startCursor } from './cursor.ts';
import { filterEntries } from './filter.ts';
import { imageEntries } from './images.ts';

const NOW = 1_700_000_000_000;
const summary: ContainerSummary = {
  Id: 'c0ffee'.repeat(10),
  Names: ['/other/alias', '/web'],
  Image: 'nginx:1',
  ImageID: 'sha256:00',
  Command: 'nginx -g \x1b[2Jdaemon',
  Created: NOW / 1000 - 300,
  Ports: [],
  Labels: {},
  State: 'exited',
  Status: 'Exited (1) 2 minutes ago',
  HostConfig: { NetworkMode: 'default' },
  NetworkSettings: { Networks: {} },
  Mounts: [],
};
const entryOf = (change: Partial<ContainerSummary>) =>
  containerEntry(listContainer({ ...summary, ...change }, NOW), NOW, undefined);

test('a container reads as in `docker ps`', () => {
  const entry = entryOf({});
  assert.equal(entry.name, 'web');
  assert.deepEqual(entry.cells, [
    'web',
    'nginx:1',
    '"nginx -g daemon"',
    '5 minutes ago',
    'Exited (1) 2 minutes ago',
    '',
  ]);
});

test('what a container is in shows in its glyph', () => {
  assert.equal(entryOf({}).mark, 'failed');
  assert.equal(entryOf({ Status: 'Exited (0) 2 minutes ago' }).mark, 'exited');
  assert.equal(entryOf({ State: 'running', Status: 'Up 2 minutes' }).mark, 'running');
  assert.equal(entryOf({ State: 'paused', Status: 'Up 2 minutes (Paused)' }).mark, 'paused');
  assert.equal(entryOf({ State: 'created', Status: 'Created' }).mark, 'created');
});

test('ports read as in `docker ps`', () => {
  assert.equal(
    formatPorts([
      { PrivatePort: 443, Type: 'tcp' },
      { IP: '::', PrivatePort: 80, PublicPort: 8080, Type: 'tcp' },
      { IP: '0.0.0.0', PrivatePort: 80, PublicPort: 8080, Type: 'tcp' },
    ]),
    '0.0.0.0:8080->80/tcp, [::]:8080->80/tcp, 443/tcp',
  );
});

test('an image has a line for each of its names', () => {
  const image: ImageSummary = {
    Id: `sha256:${'ab'.repeat(32)}`,
    ParentId: '',
    RepoTags: ['host:5000/team/app:2', 'app:latest'],
    RepoDigests: [],
    Created: NOW / 1000 - 86400 * 3,
    Size: 12_345_678,
    SharedSize: -1,
    Labels: null,
    Containers: -1,
  };
  const nameless = { ...image, Id: `sha256:${'cd'.repeat(32)}`, RepoTags: ['<none>:<none>'] };
  const entries = imageEntries([image, nameless], NOW);
  assert.deepEqual(
    entries.map((entry) => entry.cells),
    [
      ['host:5000/team/app', '2', 'abababababab', '3 days ago', '12.3MB'],
      ['app', 'latest', 'abababababab', '3 days ago', '12.3MB'],
      ['<none>', '<none>', 'cdcdcdcdcdcd', '3 days ago', '12.3MB'],
    ],
  );
  assert.deepEqual(
    entries.map((entry) => entry.target),
    ['host:5000/team/app:2', 'app:latest', nameless.Id],
  );
});

test('a filter wants all its words, and none after `!`', () => {
  const entries = [entryOf({}), entryOf({ Names: ['/db'], Image: 'postgres', Command: 'postgres' })];
  const names = (filter: string) => filterEntries(entries, filter).map((entry) => entry.name);
  assert.deepEqual(names(''), ['web', 'db']);
  assert.deepEqual(names('WEB nginx'), ['web']);
  assert.deepEqual(names('!nginx'), ['db']);
  assert.deepEqual(names('c0ffee'), ['web', 'db']);
  assert.deepEqual(names('web postgres'), []);
  assert.deepEqual(names('! '), ['web', 'db']);
});

const columns: readonly Column[] = [
  { title: 'NAME', min: 4, max: 20, priority: 9 },
  { title: 'NOTE', min: 4, max: 20, priority: 1 },
  { title: 'STATUS', min: 6, max: 10, priority: 5 },
];

test('columns take what they need, give up cells, and at last go', () => {
  const rows = [['a-long-name', 'a note that is long', 'Up']];
  assert.deepEqual(layoutColumns(columns, rows, 80), [11, 19, 6]);
  assert.deepEqual(layoutColumns(columns, rows, 30), [11, 9, 6]);
  assert.deepEqual(layoutColumns(columns, rows, 22), [8, 4, 6]);
  assert.deepEqual(layoutColumns(columns, rows, 15), [7, 0, 6]);
  assert.deepEqual(layoutColumns(columns, rows, 5), [5, 0, 0]);
  // An empty one is the first to go, whatever its rank.
  assert.deepEqual(layoutColumns(columns, [['', 'a note', 'Up 3 minutes']], 22), [0, 6, 10]);
  assert.deepEqual(layoutColumns(columns, [['', 'a note', 'Up 3 minutes']], 24), [4, 6, 10]);
  assert.equal(formatRow(['ab', 'gone', 'Up 3 minutes'], [4, 0, 6]), 'ab    Up 3 …');
});

test('the selection stays with its entry, and goes to the next one when that is gone', () => {
  let cursor = settleCursor(startCursor, ['a', 'b', 'c', 'd'], 2, 2);
  assert.deepEqual(cursor, { key: 'c', index: 2, top: 1 });
  cursor = settleCursor(cursor, ['new', 'a', 'b', 'c', 'd'], 2);
  assert.deepEqual(cursor, { key: 'c', index: 3, top: 2 });
  cursor = settleCursor(cursor, ['new', 'a', 'b', 'd'], 2);
  assert.deepEqual(cursor, { key: 'd', index: 3, top: 2 });
  assert.equal(settleCursor(cursor, [], 2), cursor, 'an empty list forgets nothing');
  assert.deepEqual(settleCursor(cursor, ['d'], 2), { key: 'd', index: 0, top: 0 });
});
