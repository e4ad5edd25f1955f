import { defineCommand, type Flag } from '../command.ts';
import { inspectEach, inspectFlags, type Kind, kinds } from '../inspecting.ts';

export const command = defineCommand({
  usage: '[FLAGS] NAME [NAME...]',
  description: 'A name is looked for among containers first, then images, networks and volumes.',
  flags: {
    ...inspectFlags,
    type: {
      type: 'string',
      summary: 'Look only for this kind',
      values: kinds,
      placeholder: 'KIND',
    } as Flag<Kind>,
  },
  takes: [1, Number.POSITIVE_INFINITY],
  examples: [
    { line: "berth inspect -f '{{.State.Status}}' web", does: 'One value' },
    { line: 'berth inspect web | jq .[0].NetworkSettings', does: 'A part of it' },
  ],
  run: (context, { flags, args }) =>
    inspectEach(context, { names: args, among: flags.type === undefined ? kinds : [flags.type], flags }),
});
