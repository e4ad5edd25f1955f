import { operations } from '../../engine/api/operations.ts';
import { defineCommand } from '../command.ts';
import { inspectEach, inspectFlags } from '../inspecting.ts';

const { verbose } = operations.networkInspect.query;

export const command = defineCommand({
  usage: '[FLAGS] NETWORK [NETWORK...]',
  flags: { format: inspectFlags.format, verbose },
  takes: [1, Number.POSITIVE_INFINITY],
  examples: [
    {
      line: "berth network inspect -f '{{range .Containers}}{{println .Name}}{{end}}' back",
      does: 'Who is on it',
    },
  ],
  run: (context, { flags: { format }, args }) =>
    inspectEach(context, { names: args, among: ['network'], flags: { format } }),
});
