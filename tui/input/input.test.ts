import assert from 'node:assert/strict';
import test from 'node:test';
import type { Key } from 'ink';
import { actionOf, keymap, showKey } from './keymap.ts';
import { keysOf } from './keys.ts';

const none: Key = {
  upArrow: false,
  downArrow: false,
  leftArrow: false,
  rightArrow: false,
  pageDown: false,
  pageUp: false,
  home: false,
  end: false,
  return: false,
  escape: false,
  ctrl: false,
  shift: false,
  tab: false,
  backspace: false,
  delete: false,
  meta: false,
  super: false,
  hyper: false,
  capsLock: false,
  numLock: false,
};

test('what is typed fast is taken key by key', () => {
  assert.deepEqual(keysOf('jjG', none), ['j', 'j', 'G']);
  assert.deepEqual(keysOf('/wéb\r', none), ['/', 'w', 'é', 'b', 'enter']);
  assert.deepEqual(keysOf('a\x7f\x15', none), ['a', 'backspace', 'ctrl-u']);
});

test('keys with names have them', () => {
  assert.deepEqual(keysOf('', { ...none, pageDown: true }), ['pagedown']);
  assert.deepEqual(keysOf('c', { ...none, ctrl: true }), ['ctrl-c']);
  assert.deepEqual(keysOf('', { ...none, tab: true, shift: true }), ['shift-tab']);
  assert.deepEqual(keysOf('', { ...none, escape: true, meta: true }), ['esc']);
});

test('Alt and a letter is not that letter', () => {
  assert.deepEqual(keysOf('s', { ...none, meta: true }), []);
});

test('no key has two meanings, and none that moves in other programs destroys here', () => {
  const keys = keymap.flatMap((binding) => binding.keys);
  assert.deepEqual(keys.length, new Set(keys).size);
  for (const key of ['ctrl-d', 'ctrl-k', 'enter', ' ', 'esc', 'delete', 'backspace']) {
    assert.ok(!['stop', 'remove', 'restart', 'start'].includes(actionOf(key) ?? ''), showKey(key));
  }
});
