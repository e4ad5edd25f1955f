import { operations } from '../../engine/api/operations.ts';
import { defineCommand } from '../command.ts';
import { inspectEach, inspectFlags } from '../inspecting.ts';

export const command = defineCommand({
  usage: '[FLAGS] VOLUME [VOLUME...]',
  flags: { format: inspectFlags.format, size: operations.volumeInspect.query.size },
  takes: [1, Number.POSITIVE_INFINITY],
  examples: [
    { line: "berth volume inspect -f '{{.Mountpoint}}' data", does: 'Where its files are' },
    { line: "berth volume inspect -s -f '{{.UsageData.Size}}' data", does: 'How many bytes they take' },
  ],
  run: (context, { flags: { format, size }, args }) =>
    inspectEach(context, { names: args, among: ['volume'], flags: { format, usage: size } }),
});
