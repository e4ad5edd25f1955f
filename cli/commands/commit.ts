import { operations } from '../../engine/api/operations.ts';
import { parseReference } from '../../engine/api/reference.ts';
import { splitTag } from '../../engine/api/split-tag.ts';
import { defineCommand, type Flag } from '../command.ts';

const { author, changes, comment } = operations.containerCommit.query;

export const command = defineCommand({
  usage: '[FLAGS] CONTAINER [REPOSITORY[:TAG]]',
  description: 'What is mounted into the container is left out. It prints the id of the image.',
  flags: {
    author,
    change: changes,
    message: comment,
    pause: {
      type: 'boolean',
      summary: 'Have its processes stand still meanwhile; --pause=false to let them go on',
      short: 'p',
      default: true,
    } as Flag<boolean>,
  },
  takes: [1, 2],
  examples: [
    { line: "berth commit -m 'with curl' web web:curl", does: 'An image of what it is now' },
    { line: "berth commit -c 'CMD [\"top\"]' -c 'ENV TIER=web' web", does: 'With other defaults' },
  ],
  async run(context, { flags, args: [container = '', target] }) {
    if (target !== undefined) parseReference(target);
    const client = await context.connect();
    const { Id } = await client.call(
      'containerCommit',
      {
        container,
        ...splitTag(target),
        author: flags.author,
        comment: flags.message,
        changes: flags.change,
        pause: flags.pause === false ? '0' : '1',
      },
      { signal: context.signals.cancelled },
    );
    context.stdout.line(Id);
    return 0;
  },
});
