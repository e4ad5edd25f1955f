import { BerthError } from '../../engine/api/errors.ts';
import { runAttached, sigProxyFlag } from '../attached.ts';
import { defineCommand, type Flag } from '../command.ts';
import { detachKeysFlag } from '../detach-keys.ts';

export const command = defineCommand({
  usage: '[FLAGS] CONTAINER',
  description:
    "It ends when the container does, with the container's exit code, or when the detach keys are typed.",
  flags: {
    noStdin: { type: 'boolean', summary: 'Leave its input alone' } as Flag<boolean>,
    sigProxy: sigProxyFlag,
    detachKeys: detachKeysFlag,
  },
  takes: [1, 1],
  examples: [{ line: 'berth attach --no-stdin web', does: 'Watch what a container writes from now on' }],
  async run(context, { flags, args: [name = ''] }) {
    const client = await context.connect();
    const { Id: id, Config, State } = await client.call('containerInspect', { id: name });
    if (!State.Running)
      throw new BerthError('conflict', `can't attach to ${name}: it is ${State.Status}`, {
        hint: `berth start -ai ${name}`,
      });
    if (State.Paused) throw new BerthError('conflict', `can't attach to ${name}: it is paused`);
    const tty = Config.Tty ?? false;
    return runAttached(context, client, {
      id,
      tty,
      stdin: !flags.noStdin && (Config.OpenStdin ?? false),
      until: 'not-running',
      // A terminal sends Ctrl-C as a key, and a signal to this process is then meant for it alone.
      sigProxy: flags.sigProxy !== false && !tty,
      detachKeys: flags.detachKeys,
    });
  },
});
