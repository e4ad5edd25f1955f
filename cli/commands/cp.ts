import { lstatSync, realpathSync, statSync } from 'node:fs';
import { posix, resolve } from 'node:path';
import { BerthError, isErrno } from '../../engine/api/errors.ts';
import { formatSize } from '../../engine/api/sizes.ts';
import type { Client } from '../../engine/client/client.ts';
import { chunksOf } from '../../engine/client/transport.ts';
import { type Context, defineCommand, type Flag } from '../command.ts';
import { countBytes } from '../copy/counted.ts';
import { isDirectory, isLink, readPathStat, statInContainer } from '../copy/path-stat.ts';
import { besideLink, nameOf, type Place, planCopy, readPlace, wantsDirectory } from '../copy/plan.ts';

type Options = {
  readonly archive?: boolean | undefined;
  readonly followLink?: boolean | undefined;
  readonly quiet?: boolean | undefined;
};
type InContainer = Extract<Place, { kind: 'container' }>;
type Outside = Exclude<Place, { kind: 'container' }>;

export const command = defineCommand({
  usage: '[FLAGS] CONTAINER:SOURCE DESTINATION|-\n       berth cp [FLAGS] SOURCE|- CONTAINER:DESTINATION',
  description:
    'Into a directory that is there, a thing is copied under its own name; SOURCE/. copies what is in a directory. With - a tar archive is written to standard output, or read from standard input.',
  flags: {
    archive: { type: 'boolean', summary: 'Keep owners', short: 'a' } as Flag<boolean>,
    followLink: {
      type: 'boolean',
      summary: 'Copy what SOURCE links to, not the link',
      short: 'L',
    } as Flag<boolean>,
    quiet: { type: 'boolean', summary: 'Say nothing when it is done', short: 'q' } as Flag<boolean>,
  },
  takes: [2, 2],
  examples: [
    { line: 'berth cp web:/etc/nginx/nginx.conf .', does: 'A file out of a container, running or not' },
    { line: 'berth cp ./site/. web:/usr/share/nginx/html', does: 'What is in a directory, into another' },
    { line: 'berth cp web:/var/log - | tar -t', does: 'A tar archive to standard output' },
  ],
  async run(context, { flags, args: [from = '', to = ''] }) {
    for (const [what, text] of [
      ['source', from],
      ['destination', to],
    ] as const)
      if (text === '') throw new BerthError('invalid', `${what} can not be empty`);
    const [source, destination] = [readPlace(from), readPlace(to)];
    if (source.kind === 'container' && destination.kind === 'container')
      throw new BerthError('invalid', 'copying between containers is not supported', {
        hint: `berth cp ${from} - | berth cp - ${to}`,
      });
    // As docker: where nobody watches, it says nothing unless told to.
    const options = { ...flags, quiet: flags.quiet ?? !context.stderr.isTerminal };
    if (source.kind === 'container') await copyOut(context, source, destination as Outside, options);
    else if (destination.kind === 'container') await copyIn(context, source, destination, options);
    else
      throw new BerthError('invalid', 'must specify at least one container source', {
        hint: 'write a container’s path as CONTAINER:PATH',
      });
    return 0;
  },
});

async function copyOut(
  context: Context,
  source: InContainer,
  destination: Outside,
  options: Options,
): Promise<void> {
  const signal = context.signals.cancelled;
  if (destination.kind === 'local') requireParent(destination.path);
  const client = await context.connect();
  let { path } = source;
  if (options.followLink) {
    const stat = await statInContainer(client, source, signal);
    if (stat !== undefined && isLink(stat)) path = besideLink(path, stat.linkTarget);
  }
  const answer = await client.bytes('containerArchive', { id: source.container, path }, { signal });
  using counted = countBytes(context.stderr, {
    doing: 'Copying from container',
    quiet: options.quiet === true,
  });
  const archive = counted.pass(chunksOf(answer, client.host));
  if (destination.kind === 'stream') {
    for await (const chunk of archive) await context.stdout.write(chunk);
    return;
  }
  const stat = readPathStat(answer.headers);
  const found = statSync(destination.path, { throwIfNoEntry: false });
  const plan = planCopy(
    {
      source: { path, isDirectory: isDirectory(stat) },
      destination: {
        path: destination.path,
        exists: found !== undefined,
        isDirectory: found?.isDirectory() === true,
      },
    },
    nameOf(source.path),
  );
  const { createLocalExtractor } = await import('../copy/extract.ts');
  const extractor = createLocalExtractor({
    ...plan,
    root: stat.name,
    keepOwners: options.archive === true,
    onSkipped: (message) => context.stderr.line(message),
  });
  for await (const chunk of archive) extractor.push(Buffer.from(chunk));
  extractor.finish();
  report(context, options, `${formatSize(counted.bytes())} to ${resolve(destination.path)}`);
}

async function copyIn(
  context: Context,
  source: Outside,
  destination: InContainer,
  options: Options,
): Promise<void> {
  const local = source.kind === 'local' ? findLocal(source.path, options.followLink === true) : undefined;
  const client = await context.connect();
  const { path, exists, isDirectory: intoDirectory } = await findDestination(context, client, destination);
  using counted = countBytes(context.stderr, {
    doing: 'Copying to container',
    quiet: options.quiet === true,
  });
  let directory = path;
  let archive: AsyncIterable<Uint8Array>;
  if (local === undefined) {
    if (!intoDirectory)
      throw new BerthError(
        'invalid',
        `destination "${destination.container}:${destination.path}" must be a directory`,
      );
    archive = context.stdin() as AsyncIterable<Uint8Array>;
  } else {
    const plan = planCopy(
      { source: local, destination: { path, exists, isDirectory: intoDirectory } },
      local.name,
    );
    directory = plan.directory;
    const { packLocal } = await import('../copy/pack.ts');
    archive = packLocal(local.path, plan.name);
  }
  await client.act(
    'putContainerArchive',
    { id: destination.container, path: directory, noOverwriteDirNonDir: true, copyUidGid: options.archive },
    { signal: context.signals.cancelled, body: counted.pass(archive) },
  );
  report(context, options, `${formatSize(counted.bytes())} to ${destination.container}:${destination.path}`);
}

/** What a container's path is, and where a link leads. */
async function findDestination(context: Context, client: Client, destination: InContainer) {
  const signal = context.signals.cancelled;
  let { path } = destination;
  let stat = await statInContainer(client, destination, signal);
  if (stat !== undefined && isLink(stat)) {
    path = besideLink(path, stat.linkTarget);
    stat = await statInContainer(client, { container: destination.container, path }, signal);
  }
  // An answer to HEAD does not say whether the path is missing or the container.
  if (stat === undefined) await client.call('containerInspect', { id: destination.container }, { signal });
  return { path, exists: stat !== undefined, isDirectory: stat !== undefined && isDirectory(stat) };
}

/** A local source: `name` is what it is called in the archive. Throws `notFound`. */
function findLocal(path: string, follow: boolean) {
  try {
    // A slash at the end stands for what a link leads to, as everywhere.
    const real = follow || wantsDirectory(path) ? realpathSync(path) : posix.normalize(path);
    const isDirectory = lstatSync(real).isDirectory();
    if (!isDirectory && wantsDirectory(path)) throw new BerthError('invalid', `${path} is not a directory`);
    const own = nameOf(path);
    const name = own === '..' || own === '/' ? nameOf(realpathSync(path)) : own;
    return { path: real, isDirectory, name: name === '/' ? '.' : name };
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ENOTDIR'))
      throw new BerthError('notFound', `${path}: no such file or directory`, { cause: error });
    throw error;
  }
}

function requireParent(path: string): void {
  const parent = resolve(path, '..');
  if (statSync(path, { throwIfNoEntry: false }) !== undefined) return;
  if (statSync(parent, { throwIfNoEntry: false })?.isDirectory() === true) return;
  throw new BerthError('invalid', `invalid output path: directory "${parent}" does not exist`);
}

function report(context: Context, options: Options, what: string): void {
  if (!options.quiet) context.stderr.line(`Successfully copied ${what}`);
}
