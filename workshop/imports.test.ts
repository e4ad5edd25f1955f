import assert from 'node:assert/strict';
import test from 'node:test';
import { findCycles, findImports, findViolations } from './imports.ts';

function violations(from: string, ...specifiers: readonly string[]): readonly string[] {
  const source = specifiers.map((specifier) => `import { x } from '${specifier}';`).join('\n');
  return findViolations(findImports(from, source)).map(({ why }) => why);
}

test('every form of import is found, with its line', () => {
  const source = [
    "import a from './a.ts';",
    'import {',
    '  b,',
    "} from './b.ts';",
    "import type { C } from './c.ts';",
    "export { d } from './d.ts';",
    "import './e.ts';",
    "const f = await import('./f.ts');",
    "const text = 'not an import';",
    'export const g = 1;',
  ].join('\n');
  assert.deepEqual(
    findImports('m.ts', source).map(({ specifier, line }) => [specifier, line]),
    [
      ['./a.ts', 1],
      ['./b.ts', 4],
      ['./c.ts', 5],
      ['./d.ts', 6],
      ['./e.ts', 7],
      ['./f.ts', 8],
    ],
  );
});

test('imports down the rows of the engine pass', () => {
  assert.deepEqual(violations('engine/daemon/main.ts', '../server/routes.ts', '../api/errors.ts'), []);
  assert.deepEqual(
    violations('engine/containers/create.ts', '../networks/attach.ts', '../state/database.ts'),
    [],
  );
});

test('an import up the rows, or to a neighbour in the same row, is named', () => {
  assert.match(
    violations('engine/images/pull.ts', '../containers/create.ts')[0] ?? '',
    /engine\/images does not/,
  );
  assert.match(
    violations('engine/layers/unpack.ts', '../registry/blobs.ts')[0] ?? '',
    /engine\/layers does not/,
  );
});

test('a folder without a row is named', () => {
  assert.match(violations('engine/misc/x.ts', '../api/errors.ts')[0] ?? '', /engine\/misc has no row/);
});

test('a front end imports the API and its client, no other part of the engine and no other front end', () => {
  assert.deepEqual(violations('cli/run.ts', '../engine/client/index.ts', '../engine/api/errors.ts'), []);
  assert.equal(violations('cli/run.ts', '../engine/state/database.ts').length, 1);
  assert.equal(violations('tui/main.tsx', '../cli/main.ts').length, 1);
  assert.equal(violations('engine/server/routes.ts', '../../mcp/main.ts').length, 1);
});

test('the engine does not call itself over its own socket', () => {
  assert.equal(violations('engine/server/routes.ts', '../client/index.ts').length, 1);
  assert.deepEqual(violations('engine/server/routes.test.ts', '../client/index.ts'), []);
});

test('only tests import workshop/testing', () => {
  assert.deepEqual(violations('engine/state/database.test.ts', '../../workshop/testing/temp.ts'), []);
  assert.equal(violations('engine/state/database.ts', '../../workshop/testing/temp.ts').length, 1);
  assert.equal(violations('engine/state/database.test.ts', '../../workshop/build.ts').length, 1);
});

test('what stands in a folder testing is for tests, and for its neighbours', () => {
  assert.equal(violations('tui/main.tsx', './testing/frames.ts').length, 1);
  assert.deepEqual(violations('tui/screen.test.ts', './testing/frames.ts'), []);
  assert.deepEqual(
    violations('tui/testing/frames.ts', './dashboard.ts', '../../workshop/testing/temp.ts'),
    [],
  );
});

test('programs are spawned and the kernel is called in engine/host alone', () => {
  assert.deepEqual(violations('engine/host/mount.ts', 'koffi', 'execa'), []);
  assert.equal(violations('engine/layers/overlay.ts', 'koffi').length, 1);
  assert.equal(violations('engine/networks/bridge.ts', 'node:child_process').length, 1);
});

test('a cycle of modules is found, and its path told', () => {
  const imports = [
    ...findImports('engine/api/a.ts', "import './b.ts';"),
    ...findImports('engine/api/b.ts', "import './c.ts';"),
    ...findImports('engine/api/c.ts', "import './b.ts'; import 'node:fs';"),
  ];
  assert.deepEqual(findCycles(imports), [['engine/api/b.ts', 'engine/api/c.ts', 'engine/api/b.ts']]);
  assert.deepEqual(findCycles(imports.slice(0, 2)), []);
});
