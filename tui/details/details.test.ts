import assert from 'node:assert/strict';
import test from 'node:test';
import { formatCommand, splitAssignments } from './container.ts';
import { formatFacts } from './fields.ts';

test('facts stand in columns, and long values go on below themselves', () => {
  assert.deepEqual(
    formatFacts(
      [
        ['A', 'short'],
        ['Name', 'a value that is long'],
      ],
      16,
    ),
    ['A     short', 'Name  a value th', '      at is long'],
  );
});

test('a name that is too long has a line of its own', () => {
  assert.deepEqual(formatFacts([['com.example.label', 'x']], 12), ['com.example.', 'label', '        x']);
});

test('no escape in a label reaches the terminal', () => {
  assert.deepEqual(formatFacts([['a\x1b[2J', '\x1b]0;t\x07b\nc']], 20), ['a  b c']);
});

test('a command reads as it would be typed', () => {
  assert.equal(formatCommand(['sh', '-c', "echo it's"]), `sh -c 'echo it'\\''s'`);
  assert.equal(formatCommand(['/bin/a', '--x=1', '']), `/bin/a --x=1 ''`);
});

test('the environment is sorted, and a value may hold `=`', () => {
  assert.deepEqual(splitAssignments(['B=x=y', 'A', 'C=']), [
    ['A', ''],
    ['B', 'x=y'],
    ['C', ''],
  ]);
});
