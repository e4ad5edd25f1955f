import { defineCommand } from '../command.ts';
import { runFace } from '../face.ts';

export const command = defineCommand({
  usage: '[ARGS...]',
  flags: {},
  takes: [0, Number.POSITIVE_INFINITY],
  passesOn: true,
  examples: [],
  run: (context, { args }) => runFace(context, 'mcp', args),
});
