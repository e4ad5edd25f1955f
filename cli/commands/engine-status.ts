import { join } from 'node:path';
import { toBerthError } from '../../engine/api/errors.ts';
import { type Client, createClient } from '../../engine/client/client.ts';
import { defineCommand, type Flag } from '../command.ts';
import { enginePlace } from '../engine-place.ts';
import { engineFlags, findEngine } from '../engine-process.ts';

/** What init scripts exit with where the program does not run (LSB, `status`). */
const NOT_RUNNING = 3;

export const command = defineCommand({
  usage: '[FLAGS]',
  description: 'It ends with 0 where the engine runs, and with 3 where it does not.',
  flags: {
    run: engineFlags.run,
    format: {
      type: 'string',
      summary: 'How to print',
      values: ['text', 'json'],
      default: 'text',
      placeholder: 'FORMAT',
    } as Flag<string>,
  },
  takes: [0, 0],
  examples: [{ line: 'berth engine status --format json', does: 'For a program to read' }],
  async run(context, { flags }) {
    const place = enginePlace({ host: context.host, run: flags.run }, context.env);
    const [pid, told] = await Promise.all([
      findEngine(place),
      ask(createClient({ kind: 'unix', path: place.socket }), context.signals.cancelled),
    ]);
    const status = {
      state: told === undefined ? (pid === undefined ? 'stopped' : 'not answering') : 'running',
      pid: pid ?? null,
      socket: `unix://${place.socket}`,
      version: told?.version ?? null,
      root: told?.root ?? null,
      log: join(place.run, 'engine.log'),
    };
    if (flags.format === 'json') context.stdout.line(JSON.stringify(status));
    else
      for (const [key, value] of Object.entries(status))
        if (value !== null) context.stdout.line(`${key.padEnd(8)} ${value}`);
    return told === undefined ? NOT_RUNNING : 0;
  },
});

async function ask(client: Client, signal: AbortSignal) {
  try {
    const [version, info] = await Promise.all([
      client.call('version', {}, { signal }),
      client.call('info', {}, { signal }),
    ]);
    return { version: version.Version, root: info.DockerRootDir };
  } catch (error) {
    if (toBerthError(error).code === 'unavailable') return undefined;
    throw error;
  }
}
