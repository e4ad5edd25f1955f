import { existsSync } from 'node:fs';
import { BerthError } from '../../engine/api/errors.ts';
import { defineCommand } from '../command.ts';
import { engineLine, enginePlace } from '../engine-place.ts';
import { engineFlags, flagsOf } from '../engine-process.ts';

export const command = defineCommand({
  usage: '[FLAGS]',
  description: 'This is what a service manager starts; it ends on SIGTERM, and containers go on running.',
  flags: engineFlags,
  takes: [0, 0],
  examples: [{ line: 'berth engine run', does: 'See what the engine says while it works' }],
  async run(context, { flags }) {
    const place = enginePlace({ host: context.host, run: flags.run }, context.env);
    const [program = '', script = '', ...rest] = engineLine(context.programs, flagsOf(place, flags));
    if (!existsSync(script))
      throw new BerthError('unavailable', `the engine is not built: there is no ${script}`, {
        hint: 'npm run build',
      });
    // In place of this process, so that a service manager's signals and its idea of the main pid fit.
    if (process.execve === undefined) throw new BerthError('unsupported', 'this Node has no process.execve');
    return process.execve(program, [program, script, ...rest], process.env);
  },
});
