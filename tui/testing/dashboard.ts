import { resolve } from 'node:path';
import { execa } from 'execa';
import { type CreateOptions, createBody } from '../../engine/api/create.ts';
import { type Client, createClient, parseHost } from '../../engine/client/index.ts';
import { openTerminal, type TestTerminal } from '../../workshop/testing/terminal.ts';

const RUN = resolve(import.meta.dirname, 'run.ts');
const ROOT = resolve(import.meta.dirname, '../..');

/** Builds what the tests drive: the bundle that users run. */
export async function buildDashboard(): Promise<void> {
  await execa(process.execPath, ['workshop/build.ts', 'ui'], { cwd: ROOT });
}

type Size = { readonly columns?: number; readonly rows?: number };
type Environment = Readonly<Record<string, string | undefined>>;

/** The command line of the dashboard. */
export function dashboardCommand(host: string, flags: readonly string[] = []): readonly string[] {
  return [process.execPath, RUN, '--host', host, ...flags];
}

/** Opens the dashboard of an engine in a terminal, 100 by 24. */
export function openDashboard(
  host: string,
  options: Size & { readonly env?: Environment } = {},
): TestTerminal {
  return openTerminal({ columns: 100, rows: 24, ...options, command: dashboardCommand(host) });
}

/** An engine as tests prepare it. */
export type TestEngine = {
  readonly client: Client;
  /** Makes a container of busybox without a network and starts it, unless told otherwise; gives its id. */
  run(name: string, command: readonly string[], options?: RunOptions): Promise<string>;
  /** Removes all containers. */
  clear(): Promise<void>;
};

type RunOptions = CreateOptions & { readonly start?: boolean; readonly wait?: boolean };

export function prepareEngine(host: string): TestEngine {
  const client = createClient(parseHost(host));
  return {
    client,
    async run(name, command, { start = true, wait = false, ...options } = {}) {
      const body = createBody('busybox', command, { network: ['none'], stopSignal: 'KILL', ...options });
      const { Id: id } = await client.call('containerCreate', { name }, { body });
      if (start) await client.act('containerStart', { id });
      if (wait) await client.call('containerWait', { id });
      return id;
    },
    async clear() {
      const containers = await client.call('containerList', { all: true });
      await Promise.all(
        containers.map(({ Id: id }) => client.act('containerRemove', { id, force: true }).catch(() => false)),
      );
    },
  };
}
