import assert from 'node:assert/strict';
import test from 'node:test';
import { cleanLogLine, cleanText } from './clean.ts';

const log = (text: string) => cleanLogLine(text, { colour: true });

test('no control sequence in a name reaches the terminal', () => {
  assert.equal(cleanText('a\x1b[31mb\x1b[0mc'), 'abc');
  assert.equal(cleanText('a\x1b]0;title\x07b'), 'ab');
  assert.equal(cleanText('a\x1b]52;c;Y2xpcA==\x1b\\b'), 'ab');
  assert.equal(cleanText('a\x1bPq#0\x1b\\b\x1b7c\x1b(0d'), 'abcd');
  assert.equal(cleanText('a\x9b2Jb\x9d0;t\x9cc'), 'abc');
  assert.equal(cleanText('a\u202ecod.exe'), 'acod.exe');
  assert.equal(cleanText('two\nlines\tand\x00more'), 'two lines andmore');
  assert.equal(cleanText('cut off\x1b[3'), 'cut off');
  assert.equal(cleanText('plain ünïcode 日本'), 'plain ünïcode 日本');
});

test('a log line keeps its colours and nothing else', () => {
  assert.equal(log('\x1b[1;31mred\x1b[0m'), '\x1b[1;31mred\x1b[0m');
  assert.equal(log('\x1b[38;5;12mx\x1b[38:2::1:2:3my'), '\x1b[38;5;12mx\x1b[38:2::1:2:3my');
  assert.equal(log('\x1b[2J\x1b[5;5Ha\x1b[?1049hb\x1b[31mc'), 'ab\x1b[31mc');
  assert.equal(log('a\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\'), 'alink');
  // What is left when an escape in the middle goes must not become a new one.
  assert.equal(log('\x1b\x1b[2J[2J'), '[2J');
  assert.equal(cleanLogLine('\x1b[31mred\x1b[0m', { colour: false }), 'red');
});

test('a log line looks as on a terminal', () => {
  assert.equal(log('10%\r50%\r100%\r'), '100%');
  assert.equal(log('a\tb'), 'a       b');
  assert.equal(log('\x1b[31mab\tc'), '\x1b[31mab      c');
});
