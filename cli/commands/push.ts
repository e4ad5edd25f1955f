import { BerthError } from '../../engine/api/errors.ts';
import { operations } from '../../engine/api/operations.ts';
import { familiarName, familiarReference, parseReference } from '../../engine/api/reference.ts';
import { pushImage } from '../../engine/client/push.ts';
import { defineCommand, type Flag } from '../command.ts';
import { openProgress } from '../progress.ts';
import { refused } from '../refused.ts';

export const command = defineCommand({
  usage: '[FLAGS] IMAGE',
  description:
    'It prints the full name of what was pushed; progress goes to standard error. Credentials are those that docker login stored.',
  flags: {
    allTags: {
      type: 'boolean',
      summary: 'Push all tags of the repository',
      short: 'a',
    } as Flag<boolean>,
    quiet: { type: 'boolean', summary: 'Show no progress', short: 'q' } as Flag<boolean>,
    platform: operations.imagePush.query.platform,
    disableContentTrust: refused(
      { type: 'boolean', summary: 'Sign nothing' },
      'images are not signed',
      'leave the flag out',
      true,
    ) as Flag<boolean>,
  },
  takes: [1, 1],
  examples: [
    { line: 'berth push registry.example.com/team/app:1.2', does: 'Put an image into a registry' },
    { line: 'berth push -a localhost:5000/app', does: 'All its tags' },
  ],
  async run(context, { flags, args: [image = ''] }) {
    const reference = parseReference(image);
    const isBare =
      familiarName(reference) === image || (reference.tag === 'latest' && !image.endsWith(':latest'));
    if (flags.allTags && !isBare)
      throw new BerthError('usage', "tag can't be used with --all-tags/-a", {
        hint: `berth push -a ${familiarName(reference)}`,
      });
    const client = await context.connect();
    const progress = openProgress(context.stderr, { quiet: flags.quiet });
    if (isBare && !flags.allTags && !flags.quiet) context.stderr.line('Using default tag: latest');
    try {
      const { allTags, platform } = flags;
      const { cancelled: signal } = context.signals;
      for await (const line of pushImage(client, { image, allTags, platform, signal }))
        if (line.status !== undefined) progress.take(line);
    } finally {
      progress.end();
    }
    const shown = flags.allTags ? { ...reference, tag: undefined } : reference;
    const { domain, path } = reference;
    context.stdout.line(familiarReference(shown).replace(familiarName(shown), `${domain}/${path}`));
    return 0;
  },
});
