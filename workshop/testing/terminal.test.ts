import assert from 'node:assert/strict';
import test from 'node:test';
import { openTerminal } from './terminal.ts';

test('a program sees a terminal of the size asked for, and its resize', async () => {
  await using terminal = openTerminal({
    command: ['sh', '-c', 'stty size; trap "stty size" WINCH; while read -r line; do echo "<$line>"; done'],
    columns: 90,
    rows: 20,
  });
  await terminal.waitFor('20 90');
  terminal.send('hello\r');
  await terminal.waitFor('<hello>');
  terminal.resize(50, 10);
  terminal.send('\r');
  await terminal.waitFor('10 50');
});

test('waiting for what never comes fails with the screen that was there', async () => {
  await using terminal = openTerminal({ command: ['sh', '-c', 'echo here it is'] });
  await assert.rejects(terminal.waitFor('something else'), /the program ended[\s\S]*here it is/);
  assert.equal((await terminal.exited).exitCode, 0);
});

test('the modes that a program leaves behind are seen', async () => {
  await using terminal = openTerminal({ command: ['printf', '\\033[?1049h\\033[?25l\\033[?2004h'] });
  await terminal.exited;
  assert.deepEqual(terminal.modes(), { alternateScreen: true, cursorHidden: true, bracketedPaste: true });
});
