import { BerthError, toBerthError } from '../engine/api/errors.ts';
import { operations } from '../engine/api/operations.ts';
import type { Client } from '../engine/client/client.ts';
import type { Context, Flag } from './command.ts';
import { complain } from './each.ts';
import { fillTemplate, parseTemplate } from './template.ts';

export const kinds = ['container', 'image', 'network'] as const;
export type Kind = (typeof kinds)[number];

export const inspectFlags = {
  format: {
    type: 'string',
    summary: "How to print: json (one object a line), or a template such as '{{.State.Status}}'",
    short: 'f',
    placeholder: 'FORMAT',
  } as Flag<string>,
  size: operations.containerInspect.query.size,
};

type Asked = { readonly format?: string | undefined; readonly size?: boolean | undefined };

/**
 * Prints all about each name: an indented JSON array, or by the format. The names are looked for among the kinds
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
  const template =
    flags.format === undefined || flags.format === 'json' ? undefined : parseTemplate(flags.format);
  const client = await context.connect();
  const results = await Promise.allSettled(names.map((name) => inspectOne(client, name, among, flags)));
  const found: unknown[] = [];
  const missing: BerthError[] = [];
  for (const result of results) {
    if (result.status === 'fulfilled') found.push(result.value);
    else missing.push(toBerthError(result.reason));
  }
  // Filled in before anything is printed: a format that doesn't fit prints nothing.
  const lines =
    template === undefined
      ? found.map((item) => JSON.stringify(item))
      : found.map((item) => fillTemplate(template, item));
  if (flags.format === undefined) await context.stdout.write(`${JSON.stringify(found, null, 4)}\n`);
  else for (const line of lines) context.stdout.line(line);
  for (const error of missing) complain(context, error);
  return missing.length > 0 ? 1 : 0;
}

async function inspectOne(
  client: Client,
  name: string,
  among: readonly Kind[],
  { size }: Asked,
): Promise<unknown> {
  const ask: Readonly<Record<Kind, () => Promise<unknown>>> = {
    container: () => client.call('containerInspect', { id: name, size }),
    image: () => client.call('imageInspect', { name }),
    network: () => client.call('networkInspect', { id: name }),
  };
  for (const kind of among) {
    try {
      return await ask[kind]();
    } catch (thrown) {
      const error = toBerthError(thrown);
      const malformed = error.code === 'invalid' && among.length > 1;
      if (among.length === 1 || (error.code !== 'notFound' && !malformed)) throw error;
    }
  }
  throw new BerthError('notFound', `no ${among.join(', ').replace(/, (?=\w+$)/, ' or ')} named ${name}`, {
    hint: 'berth ps -a, or berth images',
  });
}
