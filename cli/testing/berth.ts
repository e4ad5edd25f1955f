import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { execa } from 'execa';
import { tempRoot } from '../../workshop/testing/temp.ts';

/** How a run of `berth` ended. */
export type Ended = { readonly code: number | undefined; readonly stdout: string; readonly stderr: string };

export type RunOptions = {
  /** `unix:///…`; none where the test is about choosing one. */
  readonly host?: string;
  /** What is piped in; nothing, and at once its end, where it is not given. */
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
};

/** The command line, bundled as it is shipped, in a directory of its own. */
export type TestBerth = AsyncDisposable & {
  /** Program and first argument, for a pseudo-terminal or a pipe. */
  readonly command: readonly [string, string];
  /** Variables that every run gets: nothing of the caller's session decides what a test sees. */
  readonly env: Readonly<Record<string, string>>;
  /** A directory for files of the test. */
  readonly join: (...parts: readonly string[]) => string;
  run(args: readonly string[], options?: RunOptions): Promise<Ended>;
};

const SOURCE = fileURLToPath(new URL('..', import.meta.url));
const ENGINE = new URL('../../engine/daemon/main.ts', import.meta.url).href;

/** Bundles the command line from source, with an engine beside it that runs from source. */
export async function bundleBerth(): Promise<TestBerth> {
  await using undo = new AsyncDisposableStack();
  const root = undo.use(await tempRoot('cli'));
  await mkdir(root.join('home'));
  await writeFile(root.join('package.json'), '{"type":"module"}');
  // Named as the shipped bundle is: by this name an engine's process is known.
  await writeFile(root.join('engine.cjs'), `import(${JSON.stringify(ENGINE)});\n`);
  for (const [file, entry, format] of [
    ['berth.js', 'main.ts', 'esm'],
    ['commands.cjs', 'dispatch.ts', 'cjs'],
  ] as const)
    await build({
      entryPoints: [`${SOURCE}${entry}`],
      outfile: root.join(file),
      bundle: true,
      format,
      platform: 'node',
      target: 'node26',
      logLevel: 'silent',
    });
  const env = {
    PATH: process.env.PATH ?? '',
    HOME: root.join('home'),
    LANG: 'C.UTF-8',
    TZ: 'UTC',
    ...(process.env.BERTH_TEST_RUN === undefined ? {} : { BERTH_TEST_RUN: process.env.BERTH_TEST_RUN }),
  };
  const launcher = root.join('berth');
  // As the launcher does it (workshop/launcher.ts).
  await writeFile(
    launcher,
    `exec '${process.execPath}' --disable-sigusr1 -- '${root.join('berth.js')}' "$@"\n`,
  );
  const command = ['/bin/sh', launcher] as const;
  const kept = undo.move();
  return {
    command,
    env,
    join: root.join,
    async run(args, { host, input = '', env: more } = {}) {
      const { exitCode, stdout, stderr } = await execa(command[0], [command[1], ...args], {
        input,
        env: { ...env, ...(host === undefined ? {} : { BERTH_HOST: host }), ...more },
        extendEnv: false,
        reject: false,
        stripFinalNewline: false,
      });
      return { code: exitCode, stdout, stderr };
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}
