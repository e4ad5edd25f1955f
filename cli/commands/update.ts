import { limitFields, limitsBody, readRestart, restart } from '../../engine/api/create/limits.ts';
import { BerthError } from '../../engine/api/errors.ts';
import type { UpdateContainerBody } from '../../engine/api/wire/host-config.ts';
import { defineCommand } from '../command.ts';
import { doToEach } from '../each.ts';
import { printable } from '../printable.ts';

export const command = defineCommand({
  usage: '[FLAGS] CONTAINER [CONTAINER...]',
  description:
    'Limits of a container that runs change at once; the restart policy holds from its next end on.',
  flags: { ...limitFields, restart },
  takes: [1, Number.POSITIVE_INFINITY],
  examples: [
    { line: 'berth update --memory 512m --memory-swap 1g web', does: 'Let it have more memory' },
    {
      line: 'berth update --restart unless-stopped $(berth ps -q)',
      does: 'Have all come back after a reboot',
    },
  ],
  async run(context, { flags: { restart: policy, ...limits }, args }) {
    const body: UpdateContainerBody = {
      ...limitsBody(limits),
      ...(policy === undefined ? {} : { RestartPolicy: readRestart(policy) }),
    };
    if (Object.keys(body).length === 0) {
      throw new BerthError('usage', 'nothing to change: give one flag or more', {
        hint: 'berth update --help',
      });
    }
    const client = await context.connect();
    const { cancelled } = context.signals;
    return doToEach(context, args, async (id) => {
      const { Warnings } = await client.call('containerUpdate', { id }, { body, signal: cancelled });
      for (const warning of Warnings ?? [])
        context.stderr.line(`${context.stderr.style.yellow('warning:')} ${printable(warning)}`);
      return id;
    });
  },
});
