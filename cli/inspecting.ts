import { BerthError, toBerthError } from '../engine/api/errors.ts';
import { operations } from '../engine/api/operations.ts';
import type { Client } from '../engine/client/client.ts';
import { inspectVolumeUsage } from '../engine/client/volume.ts';
import type { Context, Flag } from './command.ts';
import { complain } from './each.ts';
import { printable } from './printable.ts';

export const kinds = ['container', 'image', 'network', 'volume'] as const;
export type Kind = (typeof kinds)[number];

export const inspectFlags = {
  format: {
    type: 'string',
    summary: "How to print: json (on one line), or a Go template such as '{{.State.Status}}'",
    short: 'f',
    placeholder: 'FORMAT',
  } as Flag<string>,
  size: operations.containerInspect.query.size,
};

type Asked = {
  readonly format?: string | undefined;
  readonly size?: boolean | undefined;
  /** Of volumes: with what they take. */
  readonly usage?: boolean | undefined;
  /** Of images: refused where they are for another. */
  readonly platform?: string | undefined;
};

/**
 * Prints all about each name: a JSON array, or by the format. The names are looked for among the kinds
 * in their order. Those that are nowhere are told on standard error. Gives the exit code: 1 where any was missing.
 */
export async function inspectEach(
  context: Context,
  {
    names,
    among,
    flags,
  }: { readonly names: readonly string[]; readonly among: readonly Kind[]; readonly flags: Asked },
): Promise<number> {
  // Read before the engine is asked: a format that makes no sense asks for nothing.
  const fill = await formatter(flags.format, context);
  const client = await context.connect();
  const results = await Promise.allSettled(
    names.map(async (name) => {
      const found = await inspectOne(context, { client, name, among, flags });
      return fill === undefined ? found.value : fill(found.value, goTypes[found.kind], { inspected: true });
    }),
  );
  const found: unknown[] = [];
  const failed: BerthError[] = [];
  for (const result of results) {
    if (result.status === 'fulfilled') found.push(result.value);
    else failed.push(toBerthError(result.reason));
  }
  const indent = flags.format === 'json' ? 0 : 4;
  if (fill === undefined) await context.stdout.write(`${JSON.stringify(found, null, indent)}\n`);
  else for (const line of found) context.stdout.line(String(line));
  for (const error of failed) complain(context, error);
  return failed.length > 0 ? 1 : 0;
}

/** What docker reads each kind into. */
const goTypes: Readonly<Record<Kind, string>> = {
  container: 'container.InspectResponse',
  image: 'image.InspectResponse',
  network: 'network.Inspect',
  volume: 'volume.Volume',
};

/** Fills a format in with data that docker reads into the type named; `inspected` where it may look at JSON too. */
type Fill = (data: unknown, type: string, options?: { readonly inspected?: boolean }) => string;

/** Prints one thing by a format; undefined where none was given, or `json`. Throws FormatError. */
export async function formatter(
  format: string | undefined,
  { stdout, name }: { readonly stdout: Context['stdout']; readonly name?: string },
): Promise<Fill | undefined> {
  if (format === undefined || format === '' || format === 'json') return undefined;
  const { fillInspected, fillTemplate, parseTemplate } = await import('./template.ts');
  const template = parseTemplate(format, name === undefined ? {} : { name });
  const shown = stdout.isTerminal ? { show: (text: string) => printable(text, { lines: true }) } : {};
  return (data, type, { inspected = false } = {}) =>
    (inspected ? fillInspected : fillTemplate)(template, data, { type, ...shown });
}

async function inspectOne(
  { stderr }: Context,
  {
    client,
    name,
    among,
    flags: { size, usage, platform },
  }: {
    readonly client: Client;
    readonly name: string;
    readonly among: readonly Kind[];
    readonly flags: Asked;
  },
): Promise<{ readonly kind: Kind; readonly value: unknown }> {
  const ask: Readonly<Record<Kind, () => Promise<unknown>>> = {
    container: () => client.call('containerInspect', { id: name, size }),
    image: () => client.call('imageInspect', { name, platform }),
    network: () => client.call('networkInspect', { id: name }),
    volume: () => (usage ? inspectVolumeUsage(client, name) : client.call('volumeInspect', { name })),
  };
  for (const kind of among) {
    try {
      const value = await ask[kind]();
      if (size && kind !== 'container') stderr.line(`WARNING: --size ignored for ${kind}`);
      return { kind, value };
    } catch (thrown) {
      const error = toBerthError(thrown);
      const malformed = error.code === 'invalid' && among.length > 1;
      if (among.length === 1 || (error.code !== 'notFound' && !malformed)) throw error;
    }
  }
  throw new BerthError('notFound', `No such object: ${name}`, {
    hint: 'berth ps -a, or berth images',
  });
}
