import assert from 'node:assert/strict';
import { execa } from 'execa';
import { startEngine } from './engine.ts';
import { busyboxImage, pushImage } from './images.ts';
import { startRegistry } from './registry.ts';
import { tempRoot } from './temp.ts';
import { openTerminal, type TestTerminal } from './terminal.ts';

/** The docker CLI as people have it, pointed at an engine of its own: the client that most others are measured by. */
export type DockerCli = AsyncDisposable & {
  /** A registry that has `harbour/busybox:latest`. */
  readonly registry: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Runs it to its end. */
  readonly docker: (...args: readonly string[]) => Promise<CliResult>;
  /** Runs it with this on its standard input. */
  readonly fed: (input: string | Uint8Array, ...args: readonly string[]) => Promise<CliResult>;
  /** Runs it and expects it to succeed; gives what it wrote to stdout. */
  readonly said: (...args: readonly string[]) => Promise<string>;
  /** `docker run -d`: a container that is removed at the end of its test. */
  readonly running: (
    name: string,
    ...command: readonly string[]
  ) => Promise<AsyncDisposable & { readonly id: string }>;
  readonly terminal: (...args: readonly string[]) => Promise<TestTerminal>;
};

export type CliResult = {
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
};

const cli = await execa('docker', ['--version'], { reject: false });

/** Why it can't be tested here; false where it can. For a test's `skip`. */
export const dockerCliMissing = cli.failed ? 'docker is not installed' : false;

export async function openDockerCli(): Promise<DockerCli> {
  await using stack = new AsyncDisposableStack();
  const registry = stack.use(await startRegistry());
  await pushImage({ registry, name: 'harbour/busybox', ...(await busyboxImage()) });
  // A settings directory of its own: what a person has in ~/.docker decides nothing here.
  const config = stack.use(await tempRoot('docker-config'));
  const engine = stack.use(await startEngine());
  const environment = {
    DOCKER_HOST: engine.host,
    DOCKER_CONFIG: config.path,
    DOCKER_CLI_HINTS: 'false',
  };
  const settings = { env: environment, reject: false, timeout: 60_000 } as const;
  const docker: DockerCli['docker'] = async (...args) => {
    const { exitCode, stdout, stderr } = await execa('docker', args, { ...settings, stdin: 'ignore' });
    return { exitCode, stdout, stderr };
  };
  const said: DockerCli['said'] = async (...args) => {
    const { exitCode, stdout, stderr } = await docker(...args);
    assert.equal(exitCode, 0, `docker ${args.join(' ')}: ${stderr}`);
    return stdout;
  };
  const kept = stack.move();
  return {
    registry: registry.host,
    environment,
    docker,
    said,
    fed: async (input, ...args) => {
      const { exitCode, stdout, stderr } = await execa('docker', args, { ...settings, input });
      return { exitCode, stdout, stderr };
    },
    running: async (name, ...command) => {
      const id = await said('run', '-d', '--name', name, 'busybox', ...command);
      return { id, [Symbol.asyncDispose]: async () => void (await docker('rm', '-f', name)) };
    },
    terminal: async (...args) => openTerminal({ command: ['docker', ...args], env: environment }),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}
