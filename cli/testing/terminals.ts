import assert from 'node:assert/strict';
import { openTerminal } from '../../workshop/testing/terminal.ts';
import { type Behaviours, containerOf, print, remove } from './given.ts';
import { openShell, sharesTerminal } from './shell.ts';

/** `run -it` and `attach`, on a real terminal. */
export const terminals: Behaviours = {
  'run -it gives a terminal of the same size, which follows ours': (given) =>
    sharesTerminal(given, '$B run -it --rm busybox sh'),

  'Ctrl-C on the terminal reaches the program, not the command': async (given) => {
    await using terminal = openShell(given);
    terminal.send('$B run -it --rm busybox sh\r');
    await terminal.waitFor(/\/ #\s*$/);
    terminal.send(`sh -c 'trap "exit 9" INT; echo rea""dy; while :; do sleep 0.05; done'\r`);
    await terminal.waitFor(/^ready$/m);
    terminal.send('\x03');
    await terminal.waitFor(/\^C[\s\S]*\/ #\s*$/);
    terminal.send('echo st""ill $?\r');
    await terminal.waitFor(/^still 9$/m);
    terminal.send('\x04');
    await terminal.waitFor(/outer>\s*$/);
  },

  'Ctrl-P Ctrl-Q detaches, attach comes back, and the exit code is the container’s': async (given) => {
    const name = `cli-detach-${process.pid}-${given.engine}`;
    await using terminal = openShell(given);
    try {
      // No shell with line editing: it asks the terminal for its cursor, and the answer would come after detaching.
      const script = 'echo u""p; while read -r line; do [ "$line" = end ] && exit 5; echo "got-$line"; done';
      terminal.send(`$B run -it --name ${name} busybox sh -c '${script}'\r`);
      await terminal.waitFor(/\bup$/m);
      terminal.send('one\r');
      await terminal.waitFor(/^got-one$/m);
      terminal.send('\x10\x11');
      await terminal.waitFor(/outer>\s*$/);
      terminal.send('echo code=$?\r');
      await terminal.waitFor(/^code=0$/m);
      assert.equal(await print(given, 'inspect', '-f', '{{.State.Running}}', name), 'true\n');
      terminal.send(`$B attach --detach-keys ctrl-a,x ${name}\r`);
      terminal.send('two\r');
      await terminal.waitFor(/^got-two$/m);
      terminal.send('\x01');
      terminal.send('x');
      await terminal.waitFor(/outer>\s*$/);
      terminal.send(`$B attach ${name}\r`);
      terminal.send('three\r');
      await terminal.waitFor(/^got-three$/m);
      terminal.send('end\r');
      await terminal.waitFor(/outer>\s*$/);
      terminal.send('echo code=$?\r');
      await terminal.waitFor(/^code=5$/m);
    } finally {
      await remove(given, name);
    }
  },

  'run -t without -i leaves our terminal as it is, and Ctrl-C is passed on as a signal': async (given) => {
    await using terminal = openShell(given);
    terminal.send(
      `$B run -t --rm busybox sh -c 'trap "echo caught; exit 8" INT; echo rea""dy; while :; do sleep 0.05; done'\r`,
    );
    await terminal.waitFor(/\bready$/m);
    terminal.send('\x03');
    await terminal.waitFor(/caught[\s\S]*outer>\s*$/);
    terminal.send('echo code=$?\r');
    await terminal.waitFor(/^code=8$/m);
  },

  'colours are for terminals, and not with NO_COLOR': async (given) => {
    const { berth, host } = given;
    await using _container = await containerOf(given);
    const shown = async (env: Readonly<Record<string, string>>) => {
      await using terminal = openTerminal({
        command: [...berth.command, 'ps'],
        env: { ...berth.env, BERTH_HOST: host, ...env },
      });
      await terminal.exited;
      return terminal.written();
    };
    assert.match(await shown({}), /\x1b\[1mCONTAINER ID\x1b\[22m/);
    assert.doesNotMatch(await shown({ NO_COLOR: '1' }), /\x1b/);
    assert.doesNotMatch(await print(given, 'ps'), /\x1b/);
  },
};
