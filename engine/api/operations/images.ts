import { boolean, list, string } from '../fields.ts';
import type { ImagesPruned } from '../wire/disk-usage.ts';
import type { ImageDeleted, ImageInspect, ImageSummary, ProgressLine } from '../wire.ts';
import { operation } from './define.ts';
import { shared } from './shared.ts';

/** Images. */
export const imageOperations = {
  imagePull: operation<ProgressLine>()({
    summary: 'Pull an image from a registry',
    route: 'POST /images/create',
    query: {
      fromImage: string('Image to pull', { placeholder: 'IMAGE' }),
      tag: string('Tag or digest to pull'),
      platform: shared.platform,
    },
    answer: 'lines',
  }),
  imagePush: operation<ProgressLine>()({
    summary: 'Push an image to a registry',
    route: 'POST /images/{name*}/push',
    query: {
      tag: string('Tag to push; all tags of the repository where none is given'),
      platform: shared.platform,
    },
    answer: 'lines',
  }),
  imageList: operation<readonly ImageSummary[]>()({
    summary: 'List images',
    route: 'GET /images/json',
    query: { all: shared.all, filter: shared.filter },
  }),
  imageInspect: operation<ImageInspect>()({
    summary: 'Show all about an image',
    route: 'GET /images/{name*}/json',
    query: { platform: shared.platform },
  }),
  imagePrune: operation<ImagesPruned>()({
    summary: 'Remove images that nothing uses',
    route: 'POST /images/prune',
    query: { filter: shared.filter },
  }),
  imageRemove: operation<readonly ImageDeleted[]>()({
    summary: 'Remove an image',
    route: 'DELETE /images/{name*}',
    query: {
      force: boolean('Remove it even if stopped containers use it', { short: 'f' }),
      noprune: boolean('Keep untagged parents'),
      platform: list(shared.platform.summary, { placeholder: 'OS/ARCH', wire: 'platforms' }),
    },
  }),
};
