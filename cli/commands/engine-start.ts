import { toBerthError } from '../../engine/api/errors.ts';
import { type Client, createClient } from '../../engine/client/client.ts';
import { startEngine } from '../../engine/client/launch.ts';
import { defineCommand } from '../command.ts';
import { engineLine, enginePlace } from '../engine-place.ts';
import { engineFlags, flagsOf } from '../engine-process.ts';

export const command = defineCommand({
  usage: '[FLAGS]',
  description: 'Every other command does this by itself when no engine runs.',
  flags: engineFlags,
  takes: [0, 0],
  examples: [
    { line: 'berth engine start', does: 'The engine of this machine' },
    {
      line: 'berth --host /tmp/b/berth.sock engine start --root /tmp/b/root',
      does: 'One more, to try something',
    },
  ],
  async run(context, { flags }) {
    const place = enginePlace({ host: context.host, run: flags.run }, context.env);
    const client = createClient({ kind: 'unix', path: place.socket });
    if (await answers(client)) {
      context.stderr.line(`an engine runs at unix://${place.socket} already`);
      return 0;
    }
    await startEngine(client, {
      launch: engineLine(context.programs, flagsOf(place, flags)),
      signal: context.signals.cancelled,
    });
    context.stderr.line(`the engine runs at unix://${place.socket}`);
    return 0;
  },
});

async function answers(client: Client): Promise<boolean> {
  try {
    await client.call('version', {});
    return true;
  } catch (error) {
    if (toBerthError(error).code === 'unavailable') return false;
    throw error;
  }
}
