import { parseArgs } from 'node:util';
import { BerthError } from '../engine/api/errors.ts';
import { parseSize } from '../engine/api/sizes.ts';
import { parseHost } from '../engine/client/index.ts';
import { defaultPolicy, type Policy, type Toolset, toolsets } from './policy.ts';

export const HELP = `Usage: berth mcp [OPTIONS]

Serve the engine to assistants, over the Model Context Protocol on stdin and stdout.

Options:
  -H, --host HOST         Engine to use: unix:///path or tcp://host:port
      --read-only         Serve only the tools that change nothing
      --toolsets NAMES    Serve these sets of tools too: publish (image_tag, image_push),
                          network (network_…), volume (volume_…)
      --allow-remove-any  Let be changed and removed what was not made here
      --max-memory SIZE   Most memory that a container may ask for (default 2g)
      --max-cpus N        Most processors that a container may ask for (default 2)
      --help              Show this help
`;

export type Options = { readonly help: boolean; readonly host: string | undefined; readonly policy: Policy };

/** Reads the arguments after `berth mcp`. Throws `usage`. */
export function parseOptions(argv: readonly string[]): Options {
  const usage = (why: string) => new BerthError('usage', why, { hint: 'berth mcp --help' });
  let values: ReturnType<typeof parse>;
  try {
    values = parse(argv);
  } catch (error) {
    throw usage((error as Error).message);
  }
  if (values.host !== undefined) parseHost(values.host);
  const maxCpus = values['max-cpus'] === undefined ? defaultPolicy.maxCpus : Number(values['max-cpus']);
  if (!(maxCpus > 0)) throw usage(`invalid value '${values['max-cpus']}' for --max-cpus: expected a number`);
  const maxMemory = values['max-memory'];
  return {
    help: values.help ?? false,
    host: values.host,
    policy: {
      readOnly: values['read-only'] ?? false,
      toolsets: readToolsets(values.toolsets ?? [], usage),
      allowRemoveAny: values['allow-remove-any'] ?? false,
      maxMemory: maxMemory === undefined ? defaultPolicy.maxMemory : parseSize(maxMemory),
      maxCpus,
    },
  };
}

function readToolsets(given: readonly string[], usage: (why: string) => BerthError): readonly Toolset[] {
  return given
    .flatMap((text) => text.split(','))
    .map((name) => {
      const known = toolsets.find((one) => one === name);
      if (known !== undefined) return known;
      throw usage(`unknown set of tools '${name}' in --toolsets: there is ${toolsets.join(', ')}`);
    });
}

function parse(argv: readonly string[]) {
  return parseArgs({
    args: [...argv],
    options: {
      host: { type: 'string', short: 'H' },
      'read-only': { type: 'boolean' },
      toolsets: { type: 'string', multiple: true },
      'allow-remove-any': { type: 'boolean' },
      'max-memory': { type: 'string' },
      'max-cpus': { type: 'string' },
      help: { type: 'boolean' },
    },
  }).values;
}
