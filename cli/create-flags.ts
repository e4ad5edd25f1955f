import { type CreateOptions, createBody, createFields } from '../engine/api/create.ts';
import { BerthError } from '../engine/api/errors.ts';
import type { CreateContainerBody, HostConfig } from '../engine/api/wire.ts';
import type { Client } from '../engine/client/client.ts';
import { createContainer, type PullPolicy, pullPolicies } from '../engine/client/create.ts';
import type { Context, Flag, Flags } from './command.ts';
import { linesOfFiles, withProfiles } from './create-files.ts';
import { refusedFlags } from './create-refused.ts';
import { printable } from './printable.ts';
import { openProgress } from './progress.ts';

// Not `import`: see engine/client/transport.ts.
const { resolve } = process.getBuiltinModule('node:path');

/** The flags of `create`, which `run` has too: every field of a new container, and how its image is fetched. */
export const createFlags = {
  ...createFields,
  network: { ...createFields.network, aliases: ['net'] },
  dnsOption: { ...createFields.dnsOption, aliases: ['dns-opt'] },
  envFile: {
    type: 'list',
    summary: 'Set the environment variables that stand in a file',
    placeholder: 'FILE',
  } as Flag<readonly string[]>,
  labelFile: {
    type: 'list',
    summary: 'Set the labels that stand in a file',
    placeholder: 'FILE',
  } as Flag<readonly string[]>,
  attach: {
    type: 'list',
    summary: 'Attach to stdin, stdout or stderr alone',
    short: 'a',
    pattern: /^std(in|out|err)$/i,
    patternSays: 'stdin, stdout or stderr',
    placeholder: 'STREAM',
  } as Flag<readonly string[]>,
  pull: {
    type: 'string',
    summary: 'When to pull the image',
    values: pullPolicies,
    placeholder: 'WHEN',
    default: 'missing',
  } as Flag<PullPolicy>,
  quiet: { type: 'boolean', summary: 'Show nothing of a pull', short: 'q' } as Flag<boolean>,
  cidfile: {
    type: 'string',
    summary: "Write the container's id to this file",
    placeholder: 'FILE',
  } as Flag<string>,
  ...refusedFlags,
} satisfies Flags;

export type CreateFlags = CreateOptions & {
  readonly pull?: PullPolicy | undefined;
  readonly quiet?: boolean | undefined;
  readonly cidfile?: string | undefined;
  readonly detach?: boolean | undefined;
  readonly envFile?: readonly string[] | undefined;
  readonly labelFile?: readonly string[] | undefined;
};

/**
 * Creates the container that the flags describe, pulling its image where that is wanted, and gives its id.
 * `body` overrides what the flags say. Pull progress and warnings go to standard error.
 */
export async function createFromFlags(
  context: Context,
  client: Client,
  {
    flags,
    args,
    body = {},
  }: { readonly flags: CreateFlags; readonly args: readonly string[]; readonly body?: CreateContainerBody },
): Promise<string> {
  const [image = '', ...command] = args;
  const { stderr, signals, env } = context;
  // Before anything is created: a file that is there belongs to another container.
  const cidfile = flags.cidfile === undefined ? undefined : await openCidFile(flags.cidfile);
  const progress = openProgress(stderr, { quiet: flags.quiet });
  try {
    const made = createBody(image, command, {
      ...flags,
      env: [...linesOfFiles('env-file', flags.envFile), ...(flags.env ?? [])].flatMap((item) =>
        inherit(item, env),
      ),
      label: [...linesOfFiles('label-file', flags.labelFile), ...(flags.label ?? [])],
      securityOpt: withProfiles(flags.securityOpt),
    });
    const { Id, Warnings } = await createContainer(client, {
      body: {
        ...made,
        ...body,
        Image: image,
        HostConfig: { ...made.HostConfig, ...fromHere(made.HostConfig), ...consoleSize(context, flags) },
      },
      name: flags.name,
      platform: flags.platform,
      pull: flags.pull,
      onPull: (name, missing) => {
        if (missing && !flags.quiet) stderr.line(`Unable to find image '${printable(name)}' locally`);
      },
      onProgress: progress.take,
      signal: signals.cancelled,
    });
    for (const warning of Warnings ?? [])
      stderr.line(`${stderr.style.yellow('warning:')} ${printable(warning)}`);
    await cidfile?.writeFile(Id);
    return Id;
  } finally {
    progress.end();
    await cidfile?.close();
  }
}

/** Which streams are attached: those that were named, else the outputs, and the input with `-i`. */
export function streamsOf(flags: {
  readonly attach?: readonly string[] | undefined;
  readonly interactive?: boolean | undefined;
}): { readonly stdin: boolean; readonly stdout: boolean; readonly stderr: boolean } {
  if (flags.attach === undefined) return { stdin: flags.interactive ?? false, stdout: true, stderr: true };
  const named = new Set(flags.attach.map((stream) => stream.toLowerCase()));
  return { stdin: named.has('stdin'), stdout: named.has('stdout'), stderr: named.has('stderr') };
}

/** Directories of the host that are named from where we are: what begins with a dot, as docker has it. */
function fromHere(host: CreateContainerBody['HostConfig']): HostConfig {
  const { Binds, Mounts } = host ?? {};
  const absolute = (path: string) => (path.startsWith('.') ? resolve(path) : path);
  return {
    ...(Binds == null ? {} : { Binds: Binds.map((text) => text.replace(/^[^:]*/, absolute)) }),
    ...(Mounts == null
      ? {}
      : {
          Mounts: Mounts.map((mount) =>
            mount.Type === 'bind' && mount.Source ? { ...mount, Source: absolute(mount.Source) } : mount,
          ),
        }),
  };
}

/** The size that the container's terminal has from the start; until one is set, programs see 0 by 0. */
function consoleSize({ stdout }: Context, { tty, detach }: CreateFlags): object {
  const { rows, columns } = stdout.stream;
  return tty && !detach && stdout.isTerminal ? { ConsoleSize: [rows, columns] } : {};
}

/** `-e NAME` passes ours on, and nothing where we have none. */
export function inherit(item: string, env: Context['env']): string[] {
  if (item.includes('=')) return [item];
  const value = env[item];
  return value === undefined ? [] : [`${item}=${value}`];
}

async function openCidFile(path: string) {
  const { open } = await import('node:fs/promises');
  try {
    return await open(path, 'wx', 0o644);
  } catch (error) {
    throw new BerthError('usage', `can't write the container's id to ${path}: ${(error as Error).message}`, {
      hint: 'name a file that does not exist yet',
      cause: error,
    });
  }
}
