import { EventEmitter, once } from 'node:events';
import { spawn } from '@lydell/node-pty';
import xterm from '@xterm/headless';

/** A program in a pseudo-terminal, and the screen that a person would see. */
export type TestTerminal = {
  readonly pid: number;
  /** Settles when the program has ended and all it wrote is on the screen. */
  readonly exited: Promise<{ readonly exitCode: number; readonly signal: number }>;
  /** Types; `'\r'` is Enter, `'\x03'` Ctrl-C, `'\x1b'` Escape. */
  send(keys: string): void;
  resize(columns: number, rows: number): void;
  /** The visible rows, without blanks at their ends, joined by line feeds. */
  screen(): string;
  /** All it ever wrote. */
  readonly written: () => string;
  /** When it last wrote, in milliseconds of `performance.now()`, and how many bytes in all. */
  readonly output: () => { readonly lastAtMs: number; readonly bytes: number };
  /** What a program has to put back before it ends. */
  readonly modes: () => {
    readonly alternateScreen: boolean;
    readonly cursorHidden: boolean;
    readonly bracketedPaste: boolean;
  };
  /** The terminal's cells, for tests of colour and for pictures. */
  readonly cells: () => xterm.IBuffer;
  /** Waits until the screen shows it; gives the screen. Rejects with the screen that was there instead. */
  waitFor(
    what: string | RegExp | ((screen: string) => boolean),
    options?: { readonly timeoutMs?: number },
  ): Promise<string>;
  /** Resolves at the next bytes it writes; gives the moment, in milliseconds of `performance.now()`. */
  nextWrite(): Promise<number>;
  [Symbol.asyncDispose](): Promise<void>;
};

/** Long, for machines that are busy: what comes is seen the moment it is drawn. */
const WAIT_MS = 20_000;

/** Starts a program in a pseudo-terminal of the given size (120 by 40). It is killed on disposal. */
export function openTerminal(options: {
  readonly command: readonly string[];
  readonly columns?: number;
  readonly rows?: number;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
}): TestTerminal {
  const { columns = 120, rows = 40 } = options;
  const [program = '', ...args] = options.command;
  const screen = new xterm.Terminal({ cols: columns, rows, scrollback: 10_000, allowProposedApi: true });
  // Nothing of the caller's session (CI, colours, hosts) decides what a test sees.
  const env = {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    LANG: 'C.UTF-8',
    TZ: 'UTC',
    TERM: 'xterm-256color',
    ...options.env,
  };
  const pty = spawn(program, args, {
    name: 'xterm-256color',
    cols: columns,
    rows,
    env,
    cwd: options.cwd ?? process.cwd(),
  });
  const changes = new EventEmitter().setMaxListeners(0);
  let written = '';
  let lastAtMs = performance.now();
  let bytes = 0;
  let ended = false;
  let cursorHidden = false;
  for (const [final, hidden] of [
    ['h', false],
    ['l', true],
  ] as const) {
    screen.parser.registerCsiHandler({ prefix: '?', final }, (params) => {
      if (params.includes(25)) cursorHidden = hidden;
      return false;
    });
  }
  pty.onData((data) => {
    lastAtMs = performance.now();
    bytes += Buffer.byteLength(data);
    written += data;
    changes.emit('bytes', lastAtMs);
    screen.write(data, () => changes.emit('drawn'));
  });
  // Answers to what the program asks of the terminal (cursor position, attributes).
  screen.onData((answer) => {
    if (!ended) pty.write(answer);
  });
  const exited = new Promise<{ exitCode: number; signal: number }>((resolve) => {
    pty.onExit(({ exitCode, signal = 0 }) => {
      ended = true;
      screen.write('', () => {
        changes.emit('drawn');
        resolve({ exitCode, signal });
      });
    });
  });

  const view = () => {
    const buffer = screen.buffer.active;
    const lines: string[] = [];
    for (let row = 0; row < screen.rows; row += 1) {
      lines.push(
        buffer
          .getLine(buffer.baseY + row)
          ?.translateToString(true)
          .trimEnd() ?? '',
      );
    }
    return lines.join('\n');
  };

  return {
    pid: pty.pid,
    exited,
    send: (keys) => pty.write(keys),
    resize(newColumns, newRows) {
      screen.resize(newColumns, newRows);
      pty.resize(newColumns, newRows);
    },
    screen: view,
    written: () => written,
    output: () => ({ lastAtMs, bytes }),
    modes: () => ({
      alternateScreen: screen.buffer.active.type === 'alternate',
      cursorHidden,
      bracketedPaste: screen.modes.bracketedPasteMode,
    }),
    cells: () => screen.buffer.active,
    async waitFor(what, { timeoutMs = WAIT_MS } = {}) {
      const shows = (text: string) =>
        typeof what === 'function'
          ? what(text)
          : typeof what === 'string'
            ? text.includes(what)
            : what.test(text);
      const signal = AbortSignal.timeout(timeoutMs);
      for (;;) {
        const text = view();
        if (shows(text)) return text;
        const why = ended ? 'the program ended' : signal.aborted ? `${timeoutMs} ms went by` : undefined;
        if (why !== undefined) throw new Error(`${why}, and the screen does not show ${what}:\n${text}`);
        await once(changes, 'drawn', { signal }).catch(() => undefined);
      }
    },
    async nextWrite() {
      const [at] = await once(changes, 'bytes');
      return at as number;
    },
    async [Symbol.asyncDispose]() {
      if (!ended) pty.kill('SIGKILL');
      await exited;
      screen.dispose();
    },
  };
}
