import type { Key } from 'ink';

/** The name of a key, as the keymap has it: `j`, `G`, `ctrl-d`, `pageup`, `enter`. */
export type KeyName = string;

const named: readonly (readonly [field: keyof Key, name: KeyName])[] = [
  ['upArrow', 'up'],
  ['downArrow', 'down'],
  ['leftArrow', 'left'],
  ['rightArrow', 'right'],
  ['pageUp', 'pageup'],
  ['pageDown', 'pagedown'],
  ['home', 'home'],
  ['end', 'end'],
  ['backspace', 'backspace'],
  ['delete', 'delete'],
  ['escape', 'esc'],
];

const controls: Readonly<Record<string, KeyName>> = {
  '\r': 'enter',
  '\n': 'enter',
  '\t': 'tab',
  '\x1b': 'esc',
  '\x7f': 'backspace',
  '\b': 'backspace',
};

/**
 * The keys in one piece of input. Who types fast sends several characters at once (`jjj`, or `/web` and
 * Enter), and each of them is a key of its own.
 */
export function keysOf(input: string, key: Key): readonly KeyName[] {
  if (key.eventType === 'release') return [];
  if (key.return) return ['enter'];
  if (key.tab) return [key.shift ? 'shift-tab' : 'tab'];
  for (const [field, name] of named) if (key[field] === true) return [name];
  if (key.ctrl) return input === '' ? [] : [`ctrl-${input.toLowerCase()}`];
  // Alt and a key is nothing here; read as the plain key it would act.
  if (key.meta || key.super || key.hyper) return [];
  return [...input].flatMap((character) => {
    const control = controls[character];
    if (control !== undefined) return [control];
    const code = character.codePointAt(0) ?? 0;
    if (code >= 1 && code <= 26) return [`ctrl-${String.fromCodePoint(code + 96)}`];
    return code < 0x20 || (code >= 0x7f && code < 0xa0) ? [] : [character];
  });
}
