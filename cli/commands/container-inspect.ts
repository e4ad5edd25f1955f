import { defineCommand } from '../command.ts';
import { inspectEach, inspectFlags } from '../inspecting.ts';

export const command = defineCommand({
  usage: '[FLAGS] CONTAINER [CONTAINER...]',
  flags: inspectFlags,
  takes: [1, Number.POSITIVE_INFINITY],
  examples: [{ line: "berth container inspect -f '{{json .Config.Env}}' web", does: 'Its environment' }],
  run: (context, { flags, args }) => inspectEach(context, { names: args, among: ['container'], flags }),
});
