import { unixMoment } from '../../engine/api/moment.ts';
import { decodeFrames } from '../../engine/api/multiplex.ts';
import { operations } from '../../engine/api/operations.ts';
import { chunksOf } from '../../engine/client/transport.ts';
import { copyFrames } from '../attached.ts';
import { defineCommand } from '../command.ts';

const { details, follow, timestamps, tail, since, until } = operations.containerLogs.query;

export const command = defineCommand({
  usage: '[FLAGS] CONTAINER',
  description:
    "The container's standard output goes to standard output, its standard error to standard error.",
  flags: { details, follow, timestamps, tail: { ...tail, default: 'all' }, since, until },
  takes: [1, 1],
  examples: [
    { line: 'berth logs -f -n 20 web', does: 'The last 20 lines, and whatever comes' },
    {
      line: 'berth logs --since 10m web 2>/dev/null',
      does: 'What it wrote to standard output in the last ten minutes',
    },
  ],
  async run(context, { flags, args: [name = ''] }) {
    const times = {
      since: flags.since === undefined ? undefined : unixMoment(flags.since),
      until: flags.until === undefined ? undefined : unixMoment(flags.until),
    };
    const client = await context.connect();
    const signal = context.signals.cancelled;
    const { Id: id, Config } = await client.call('containerInspect', { id: name }, { signal });
    const answer = await client.bytes(
      'containerLogs',
      {
        id,
        details: flags.details,
        follow: flags.follow,
        timestamps: flags.timestamps,
        tail: flags.tail ?? 'all',
        ...times,
        stdout: true,
        stderr: true,
      },
      { signal },
    );
    const bytes = chunksOf(answer, client.host);
    if (!Config.Tty) await copyFrames(decodeFrames(bytes), context);
    else for await (const chunk of bytes) await context.stdout.write(chunk);
    return 0;
  },
});
