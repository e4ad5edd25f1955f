import { defineCommand, type Flag } from '../command.ts';
import { inspectEach, inspectFlags } from '../inspecting.ts';
import { refused } from '../refused.ts';

export const command = defineCommand({
  usage: '[FLAGS] IMAGE [IMAGE...]',
  flags: {
    format: inspectFlags.format,
    platform: refused(
      { type: 'string', summary: 'Show this platform' },
      'an image has one platform here',
    ) as Flag<string>,
  },
  takes: [1, Number.POSITIVE_INFINITY],
  examples: [
    { line: "berth image inspect -f '{{json .Config.Cmd}}' ubuntu", does: 'What it runs by default' },
  ],
  run: (context, { flags, args }) => inspectEach(context, { names: args, among: ['image'], flags }),
});
