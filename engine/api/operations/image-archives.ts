import { boolean, list } from '../fields.ts';
import type { ProgressLine } from '../wire.ts';
import { type ByteStream, operation } from './define.ts';
import { shared } from './shared.ts';

/** Images in archives, as they are carried from one machine to another. */
export const imageArchiveOperations = {
  imagesSave: operation()({
    summary: 'Get images as an archive',
    route: 'GET /images/get',
    query: {
      names: list('Image to save', { placeholder: 'IMAGE' }),
      platform: shared.platform,
    },
    answer: 'bytes',
  }),
  imageSave: operation()({
    summary: 'Get an image as an archive',
    route: 'GET /images/{name*}/get',
    query: { platform: shared.platform },
    answer: 'bytes',
  }),
  imagesLoad: operation<ProgressLine, ByteStream>()({
    summary: 'Keep the images of an archive',
    route: 'POST /images/load',
    query: { quiet: boolean('Show no progress', { short: 'q' }), platform: shared.platform },
    body: 'bytes',
    answer: 'lines',
  }),
};
