import { BerthError } from '../../engine/api/errors.ts';
import { runAttached, sigProxyFlag } from '../attached.ts';
import { type Context, defineCommand, type Flag, type Typed } from '../command.ts';
import { detachKeysFlag } from '../detach-keys.ts';
import { doToEach } from '../each.ts';
import { refused } from '../refused.ts';

const flags = {
  attach: {
    type: 'boolean',
    summary: 'Show its output, and end with its exit code',
    short: 'a',
  } as Flag<boolean>,
  interactive: { type: 'boolean', summary: "Connect the container's input too", short: 'i' } as Flag<boolean>,
  sigProxy: sigProxyFlag,
  detachKeys: detachKeysFlag,
  checkpoint: refused(
    { type: 'string', summary: 'Restore from a checkpoint' },
    'there are no checkpoints',
  ) as Flag<string>,
  checkpointDir: refused(
    { type: 'string', summary: 'Where checkpoints are' },
    'there are no checkpoints',
  ) as Flag<string>,
};

export const command = defineCommand({
  usage: '[FLAGS] CONTAINER [CONTAINER...]',
  flags,
  takes: [1, Number.POSITIVE_INFINITY],
  examples: [
    { line: 'berth start web db', does: 'Start two containers' },
    { line: 'berth start -ai shell', does: 'Go back into a shell that had ended' },
  ],
  async run(context, typed) {
    if (typed.flags.attach || typed.flags.interactive) return startAttached(context, typed);
    const client = await context.connect();
    return doToEach(context, typed.args, async (id) => {
      await client.act('containerStart', { id }, { signal: context.signals.cancelled });
      return id;
    });
  },
});

async function startAttached(context: Context, { flags: given, args }: Typed<typeof flags>): Promise<number> {
  const [name = '', ...more] = args;
  if (more.length > 0)
    throw new BerthError('usage', `can attach to one container only, not to ${args.length}`, {
      hint: `berth start -a ${name}`,
    });
  const client = await context.connect();
  const { Id: id, Config, HostConfig } = await client.call('containerInspect', { id: name });
  return runAttached(context, client, {
    id,
    tty: Config.Tty ?? false,
    stdin: (given.interactive ?? false) && (Config.OpenStdin ?? false),
    until: HostConfig.AutoRemove ? 'removed' : 'next-exit',
    sigProxy: given.sigProxy,
    detachKeys: given.detachKeys,
    start: () => client.act('containerStart', { id }),
  });
}
