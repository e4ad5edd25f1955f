import { operations } from '../../engine/api/operations.ts';
import { defineCommand } from '../command.ts';
import { inspectEach, inspectFlags } from '../inspecting.ts';

export const command = defineCommand({
  usage: '[FLAGS] IMAGE [IMAGE...]',
  flags: {
    format: inspectFlags.format,
    platform: operations.imageInspect.query.platform,
  },
  takes: [1, Number.POSITIVE_INFINITY],
  examples: [
    { line: "berth image inspect -f '{{json .Config.Cmd}}' ubuntu", does: 'What it runs by default' },
  ],
  run: (context, { flags, args }) => inspectEach(context, { names: args, among: ['image'], flags }),
});
