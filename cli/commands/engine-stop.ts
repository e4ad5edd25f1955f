import { defineCommand } from '../command.ts';
import { enginePlace } from '../engine-place.ts';
import { engineFlags, findEngine, stopEngine } from '../engine-process.ts';

export const command = defineCommand({
  usage: '[FLAGS]',
  description: 'The next start finds the containers, their logs and exit codes.',
  flags: { run: engineFlags.run },
  takes: [0, 0],
  examples: [{ line: 'berth engine stop && berth engine start', does: 'Restart it' }],
  async run(context, { flags }) {
    const place = enginePlace({ host: context.host, run: flags.run }, context.env);
    const pid = await findEngine(place);
    if (pid === undefined) {
      context.stderr.line(`no engine of ours runs at unix://${place.socket}`);
      return 0;
    }
    await stopEngine(pid, context.signals.cancelled);
    context.stderr.line(`the engine (pid ${pid}) has stopped`);
    return 0;
  },
});
