import { parseReference } from '../../engine/api/reference.ts';
import { splitTag } from '../../engine/api/split-tag.ts';
import { defineCommand } from '../command.ts';

export const command = defineCommand({
  usage: 'IMAGE REPOSITORY[:TAG]',
  flags: {},
  takes: [2, 2],
  examples: [{ line: 'berth tag ubuntu:24.04 registry.example.com/team/base:1', does: 'A second name' }],
  async run(context, { args: [name = '', target = ''] }) {
    parseReference(target);
    const client = await context.connect();
    await client.act('imageTag', { name, ...splitTag(target) }, { signal: context.signals.cancelled });
    return 0;
  },
});
