import { readFile } from 'node:fs/promises';
import { BerthError, toBerthError } from '../../engine/api/errors.ts';
import type { RegistryAccess, RegistryServeBody } from '../../engine/api/wire/registry.ts';
import { defineCommand, type Flag } from '../command.ts';
import { printable } from '../printable.ts';

export const command = defineCommand({
  usage: '[FLAGS]',
  description:
    'Machines on one network can share images by it: they pull what this engine has, and what they push is an image here. It goes on until you end it, and prints what is asked; the registry setting has the engine serve always. Images of Docker Hub stand under their path (HOST:5000/library/ubuntu), those of other registries with their host before it.',
  flags: {
    address: {
      type: 'string',
      summary: 'Address to listen on; 0.0.0.0 for all',
      placeholder: 'ADDRESS',
      default: '127.0.0.1',
    } as Flag<string>,
    port: {
      type: 'integer',
      summary: 'Port to listen on; 0 for a free one',
      short: 'p',
      min: 0,
      max: 65_535,
      placeholder: 'PORT',
      default: 5000,
    } as Flag<number>,
    tlsCert: { type: 'string', summary: 'Certificate to show, in PEM', placeholder: 'FILE' } as Flag<string>,
    tlsKey: { type: 'string', summary: "The certificate's key, in PEM", placeholder: 'FILE' } as Flag<string>,
    passwords: {
      type: 'string',
      summary: 'Who may use it: a file that berth registry passwd writes',
      placeholder: 'FILE',
    } as Flag<string>,
    readOnly: { type: 'boolean', summary: 'Take nothing in: pulls alone' } as Flag<boolean>,
    insecure: {
      type: 'boolean',
      summary: 'Listen beyond this machine without TLS and passwords',
    } as Flag<boolean>,
    quiet: { type: 'boolean', summary: 'Print nothing of what is asked', short: 'q' } as Flag<boolean>,
  },
  takes: [0, 0],
  examples: [
    { line: 'berth registry serve', does: 'For this machine: docker pull localhost:5000/library/ubuntu' },
    {
      line: 'berth registry serve --passwords users --tls-cert c.pem --tls-key k.pem',
      does: 'Over TLS, for those in a file alone',
    },
  ],
  async run(context, { flags }) {
    const body: RegistryServeBody = {
      ...(flags.address === undefined ? {} : { Address: flags.address }),
      ...(flags.port === undefined ? {} : { Port: flags.port }),
      ...(flags.tlsCert === undefined ? {} : { Cert: await contentOf('--tls-cert', flags.tlsCert) }),
      ...(flags.tlsKey === undefined ? {} : { Key: await contentOf('--tls-key', flags.tlsKey) }),
      ...(flags.passwords === undefined
        ? {}
        : { Passwords: await contentOf('--passwords', flags.passwords) }),
      ...(flags.readOnly ? { ReadOnly: true } : {}),
      ...(flags.insecure ? { Insecure: true } : {}),
    };
    const client = await context.connect();
    const lines = client.lines('registryServe', {}, { body, signal: context.signals.cancelled });
    try {
      for await (const line of lines) {
        if ('listening' in line) context.stderr.line(`serving images at ${line.listening}`);
        else if (!flags.quiet) context.stdout.line(describe(line));
      }
    } catch (thrown) {
      const error = toBerthError(thrown);
      if (error.code !== 'notFound') throw error;
      throw new BerthError('unsupported', 'this engine has no registry', { cause: error });
    }
    throw new BerthError('unavailable', 'the engine ended, and the registry with it', {
      hint: 'berth engine status',
    });
  },
});

/** A line of a web server's log. */
function describe({ time, remote, user, method, path, status, bytes, durationMs }: RegistryAccess): string {
  return printable(`${time} ${remote} ${user ?? '-'} "${method} ${path}" ${status} ${bytes} ${durationMs}ms`);
}

async function contentOf(flag: string, path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new BerthError('invalid', `invalid value '${path}' for ${flag}: ${(cause as Error).message}`, {
      cause,
    });
  }
}
