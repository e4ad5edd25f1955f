import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Ended, TestBerth } from './berth.ts';

/** What a behaviour is tried on: the command line, and an engine that has `busybox`. */
export type Given = {
  readonly berth: TestBerth;
  readonly engine: 'berth' | 'dockerd' | 'podman';
  readonly host: string;
  /** Makes a port of our loopback the engine's too. */
  readonly reachPort: (port: number) => Promise<void>;
  /** The port that registries have to use, where the engine was told beforehand which speak plain HTTP. */
  readonly registryPort?: number;
};

/** Behaviours by what they say; each leaves no container behind. */
export type Behaviours = Readonly<Record<string, (given: Given) => Promise<void>>>;

/** Runs berth and expects it to succeed with nothing on standard error; gives what it printed. */
export async function print({ berth, host }: Given, ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await berth.run(args, { host });
  assert.deepEqual({ code, stderr }, { code: 0, stderr: '' }, `berth ${args.join(' ')}`);
  return stdout;
}

/** A container that runs until it is removed, which disposing does. */
export async function containerOf(
  given: Given,
  options: { readonly flags?: readonly string[]; readonly command?: readonly string[] } = {},
): Promise<AsyncDisposable & { readonly id: string; readonly name: string }> {
  const name = `cli-${Math.random().toString(36).slice(2, 10)}`;
  const { flags = [], command = ['sleep', '1000'] } = options;
  const id = await print(given, 'run', '-d', '--name', name, ...flags, 'busybox', ...command);
  return { id: id.trim(), name, [Symbol.asyncDispose]: () => remove(given, name) };
}

/** Removes a container, running or not, there or not. */
export async function remove({ berth, host }: Given, name: string): Promise<void> {
  await berth.run(['rm', '-f', '-v', name], { host });
}

/** A run of berth that goes on while the test looks at it. */
export type Running = {
  readonly child: ChildProcess;
  /** Settles once it has printed this on standard output, or fails when it ends before. */
  printed(text: string): Promise<void>;
  /** The same for standard error. */
  complained(text: Pick<RegExp, 'test'>): Promise<void>;
  readonly ended: Promise<Ended>;
};

export function begin({ berth, host }: Given, ...args: readonly string[]): Running {
  const child = spawn(berth.command[0], [berth.command[1], ...args], {
    env: { ...berth.env, BERTH_HOST: host },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const said = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const)
    child[stream].on('data', (chunk: Buffer) => {
      said[stream] += chunk.toString('utf8');
    });
  const ended = once(child, 'close').then(([code]) => ({ code: code ?? undefined, ...said }) as Ended);
  async function seen(stream: 'stdout' | 'stderr', shows: (all: string) => boolean): Promise<void> {
    while (!shows(said[stream])) {
      const over = await Promise.race([
        once(child[stream], 'data').then(() => false),
        ended.then(() => true),
      ]);
      if (over && !shows(said[stream]))
        throw new assert.AssertionError({ message: `it ended before that: ${JSON.stringify(said)}` });
    }
  }
  return {
    child,
    ended,
    printed: (text) => seen('stdout', (all) => all.includes(text)),
    complained: (text) => seen('stderr', (all) => text.test(all)),
  };
}
