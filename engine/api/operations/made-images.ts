import { list, string } from '../fields.ts';
import type { ImageHistory } from '../wire/made-images.ts';
import type { ContainerConfig, ProgressLine } from '../wire.ts';
import { type ByteStream, operation } from './define.ts';
import { shared } from './shared.ts';

const target = {
  repo: string('Name to give the image', { placeholder: 'REPOSITORY' }),
  tag: string('Tag to give it, latest where none is given', { placeholder: 'TAG' }),
};

/** Images that are made here: of containers and archives; their names, and how they came to be. */
export const madeImageOperations = {
  imageImport: operation<ProgressLine, ByteStream>()({
    summary: 'Make an image of a tar archive of a file system',
    route: 'POST /images/create',
    when: 'fromSrc',
    query: {
      fromSrc: string('Where the archive is: - for the body'),
      ...target,
      message: string('Comment of the image', { short: 'm', placeholder: 'TEXT' }),
      changes: list('Dockerfile instruction to apply to the image', {
        short: 'c',
        placeholder: 'INSTRUCTION',
      }),
      platform: shared.platform,
    },
    body: 'bytes',
    answer: 'lines',
  }),
  containerCommit: operation<{ readonly Id: string }, ContainerConfig>()({
    summary: 'Make an image of a container',
    route: 'POST /commit',
    query: {
      container: string('The container', { placeholder: 'CONTAINER' }),
      ...target,
      comment: string('Comment of the image', { short: 'm', placeholder: 'TEXT' }),
      author: string('Author of the image, as in Ada <ada@example.com>', { short: 'a', placeholder: 'NAME' }),
      pause: string('Whether its processes stand still meanwhile: 1, which is the default, or 0'),
      changes: list('Dockerfile instruction to apply to the image', {
        short: 'c',
        placeholder: 'INSTRUCTION',
      }),
    },
    body: 'maybeJson',
  }),
  imageTag: operation()({
    summary: 'Give an image another name',
    route: 'POST /images/{name*}/tag',
    query: target,
    answer: 'none',
  }),
  imageHistory: operation<readonly ImageHistory[]>()({
    summary: 'Show how an image came to be',
    route: 'GET /images/{name*}/history',
    query: { platform: shared.platform },
  }),
};
