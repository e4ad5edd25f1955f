import { operations } from '../../engine/api/operations.ts';
import { familiarName, familiarReference, parseReference } from '../../engine/api/reference.ts';
import { pullImage } from '../../engine/client/pull.ts';
import { defineCommand, type Flag } from '../command.ts';
import { openProgress } from '../progress.ts';
import { refused } from '../refused.ts';

export const command = defineCommand({
  usage: '[FLAGS] IMAGE',
  description:
    'It prints the full name of the image; progress goes to standard error. Credentials are those that docker login stored.',
  flags: {
    platform: operations.imagePull.query.platform,
    quiet: { type: 'boolean', summary: 'Show no progress', short: 'q' } as Flag<boolean>,
    allTags: refused(
      { type: 'boolean', summary: 'Pull all tags of the repository', short: 'a' },
      'tags are pulled one by one',
      'berth pull NAME:TAG for each',
    ) as Flag<boolean>,
    disableContentTrust: refused(
      { type: 'boolean', summary: 'Check no signatures' },
      'signatures are not checked; digests are',
      'berth pull NAME@sha256:…',
      true,
    ) as Flag<boolean>,
  },
  takes: [1, 1],
  examples: [
    { line: 'berth pull ubuntu:24.04', does: 'Pull from Docker Hub' },
    {
      line: 'berth pull --platform linux/arm64 registry.example.com/team/app',
      does: 'Pull for another processor',
    },
  ],
  async run(context, { flags, args: [image = ''] }) {
    const reference = parseReference(image);
    const client = await context.connect();
    const progress = openProgress(context.stderr, { quiet: flags.quiet });
    if (
      reference.tag === 'latest' &&
      !flags.quiet &&
      familiarReference(reference) !== image &&
      familiarName(reference) === image
    )
      context.stderr.line('Using default tag: latest');
    try {
      const lines = pullImage(client, { image, platform: flags.platform, signal: context.signals.cancelled });
      for await (const line of lines) progress.take(line);
    } finally {
      progress.end();
    }
    const { domain, path, tag, digest } = reference;
    context.stdout.line(
      `${domain}/${path}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`,
    );
    return 0;
  },
});
