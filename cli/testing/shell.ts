import { openTerminal, type TestTerminal } from '../../workshop/testing/terminal.ts';
import type { Given } from './given.ts';

/** A shell in a pseudo-terminal, to see that it gets its terminal back as it was. `$B` is berth there. */
export function openShell(
  { berth, host }: Given,
  options: { readonly columns?: number; readonly rows?: number } = {},
): TestTerminal {
  return openTerminal({
    command: ['sh', '-c', 'PS1="outer> " exec sh -i'],
    env: { ...berth.env, BERTH_HOST: host, B: berth.command.join(' ') },
    ...options,
  });
}

/**
 * Types a line that opens a shell in a container, and looks there: its terminal has the size of ours, follows it, and
 * ours is as before when it ends.
 */
export async function sharesTerminal(given: Given, line: string): Promise<void> {
  await using terminal = openShell(given, { columns: 91, rows: 23 });
  terminal.send(`before=$(stty -g); ${line}\r`);
  await terminal.waitFor(/\/ #\s*$/);
  // Engines before API 1.42 set the size only after the start.
  terminal.send('until [ "$(stty size)" = "23 91" ]; do :; done; echo; echo sa""me\r');
  await terminal.waitFor(/^same$/m);
  terminal.resize(70, 17);
  terminal.send('until [ "$(stty size)" = "17 70" ]; do :; done; echo; echo fol""lowed\r');
  await terminal.waitFor(/^followed$/m);
  terminal.send('exit 6\r');
  await terminal.waitFor(/outer>\s*$/);
  terminal.send('echo code=$?; [ "$(stty -g)" = "$before" ] && echo res""tored\r');
  await terminal.waitFor(/^code=6\nrestored$/m);
}
