import { BerthError } from '../engine/api/errors.ts';
import type { Flag, Flags } from './command.ts';
import { globalFlags, parseTyped } from './parse.ts';
import { refused, refuseFlags } from './refused.ts';

const LEVELS = ['debug', 'info', 'warn', 'error', 'fatal'];

const noTls = (summary: string, type: 'string' | 'boolean' = 'string') =>
  refused({ type, summary }, 'no TLS is spoken', 'ssh -L /tmp/engine.sock:/run/berth/berth.sock HOST');

/** Flags before the command's name: Berth's own, and those that docker has there. */
export const flagsBefore = {
  ...globalFlags,
  version: { type: 'boolean', summary: 'Print the version of this program', short: 'v' } as Flag<boolean>,
  debug: {
    type: 'boolean',
    summary: 'Say where in this program an error came from',
    short: 'D',
  } as Flag<boolean>,
  config: {
    type: 'string',
    summary: "Directory of docker's config.json, which holds credentials; also DOCKER_CONFIG",
    placeholder: 'DIR',
  } as Flag<string>,
  logLevel: {
    type: 'string',
    summary: 'How much this program says of itself; debug is --debug',
    short: 'l',
    values: LEVELS,
    default: 'info',
    placeholder: 'LEVEL',
  } as Flag<string>,
  context: refused(
    { type: 'string', summary: 'A context of docker', short: 'c' },
    'there are no contexts',
    '--host unix:///run/docker.sock',
    'default',
  ) as Flag<string>,
  tls: noTls('Use TLS', 'boolean'),
  tlsverify: noTls('Use TLS and verify the engine', 'boolean'),
  tlscacert: noTls('Certificates to trust'),
  tlscert: noTls('Certificate to show'),
  tlskey: noTls('Key of the certificate'),
} satisfies Flags;

export type Globals = {
  readonly host: string | undefined;
  readonly debug: boolean;
  readonly wantsHelp: boolean;
  readonly wantsVersion: boolean;
  /** The command's name and all after it. */
  readonly rest: readonly string[];
};

/** Reads the flags before the command's name. Throws `usage`, and `unsupported` for docker's that mean nothing here. */
export function readGlobals(words: readonly string[]): Globals {
  const { flags, args: rest } = parseTyped(words, flagsBefore, { argsEndFlags: true, name: '' });
  const typed = flags as Readonly<Record<string, string | boolean | undefined>>;
  refuseFlags(flagsBefore, typed);
  if (typed.host === '')
    throw new BerthError('usage', '--host needs a value: HOST', { hint: 'berth --help' });
  if (typeof typed.config === 'string') process.env.DOCKER_CONFIG = typed.config;
  return {
    host: typed.host as string | undefined,
    debug: typed.debug === true || typed.logLevel === 'debug',
    wantsHelp: typed.help === true,
    wantsVersion: typed.version === true,
    rest,
  };
}
