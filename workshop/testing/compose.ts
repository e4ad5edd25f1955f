import assert from 'node:assert/strict';
import { cp } from 'node:fs/promises';
import { execa } from 'execa';
import type { CliResult } from './docker-cli.ts';
import { startEngine, type TestEngine } from './engine.ts';
import { LOGBOOK, pushLogbook } from './logbook/images.ts';
import { startRegistry } from './registry.ts';
import { type TempRoot, tempRoot } from './temp.ts';

/** docker-compose as people have it, with the log-book as its project, pointed at an engine of its own. */
export type Compose = AsyncDisposable & {
  readonly engine: TestEngine;
  /** The project's directory: a copy, to be changed. */
  readonly project: TempRoot;
  readonly environment: Readonly<Record<string, string>>;
  /** Runs it to its end, with this on its standard input. */
  readonly compose: (args: readonly string[], input?: string) => Promise<CliResult>;
  /** Runs it and expects it to succeed; gives what it wrote to stdout and stderr. */
  readonly said: (...args: readonly string[]) => Promise<string>;
};

const { failed, stdout: version } = await execa('docker-compose', ['--version'], { reject: false });

/** Why it can't be tested here; false where it can. For a test's `skip`. */
export const composeMissing = failed
  ? 'docker-compose is not installed'
  : !/version 1\./.test(version) && `docker-compose 1 is asked for, and this is ${version}`;

export async function openCompose(): Promise<Compose> {
  await using stack = new AsyncDisposableStack();
  const registry = stack.use(await startRegistry());
  await pushLogbook(registry);
  const project = stack.use(await tempRoot('compose'));
  for (const name of ['docker-compose.yml', 'nginx.conf']) await cp(`${LOGBOOK}/${name}`, project.join(name));
  // A settings directory of its own: what a person has in ~/.docker decides nothing here.
  const config = stack.use(await tempRoot('docker-config'));
  const engine = stack.use(await startEngine({ busybox: false }));
  const environment = {
    DOCKER_HOST: engine.host,
    DOCKER_CONFIG: config.path,
    HOME: config.path,
    COMPOSE_PROJECT_NAME: 'logbook',
    REGISTRY: registry.host,
  };
  const compose: Compose['compose'] = async (args, input = '') => {
    const how = {
      env: environment,
      cwd: project.path,
      reject: false,
      input,
      timeout: 300_000,
      all: true,
    } as const;
    const { exitCode, stdout, stderr } = await execa('docker-compose', args, how);
    return { exitCode, stdout, stderr };
  };
  const kept = stack.move();
  return {
    engine,
    project,
    environment,
    compose,
    said: async (...args) => {
      const { exitCode, stdout, stderr } = await compose(args);
      assert.equal(exitCode, 0, `docker-compose ${args.join(' ')}: ${stderr}`);
      return `${stdout}\n${stderr}`;
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}
