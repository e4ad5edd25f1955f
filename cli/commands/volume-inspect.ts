import { defineCommand } from '../command.ts';
import { inspectEach, inspectFlags } from '../inspecting.ts';

export const command = defineCommand({
  usage: '[FLAGS] VOLUME [VOLUME...]',
  flags: { format: inspectFlags.format },
  takes: [1, Number.POSITIVE_INFINITY],
  examples: [{ line: "berth volume inspect -f '{{.Mountpoint}}' data", does: 'Where its files are' }],
  run: (context, { flags, args }) => inspectEach(context, { names: args, among: ['volume'], flags }),
});
