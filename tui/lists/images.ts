import { formatSize } from '../../engine/api/sizes.ts';
import type { ImageSummary } from '../../engine/api/wire.ts';
import { formatDuration, unchangedForMs } from '../text/ages.ts';
import { cleanText } from '../text/clean.ts';
import type { Column } from './columns.ts';
import type { Entry } from './entry.ts';

/** `docker images`'s columns. */
export const imageColumns: readonly Column[] = [
  { title: 'REPOSITORY', min: 16, max: 60, priority: 9 },
  { title: 'TAG', min: 8, max: 30, priority: 8 },
  { title: 'IMAGE ID', min: 12, max: 12, priority: 3 },
  { title: 'CREATED', min: 18, max: 22, priority: 2 },
  { title: 'SIZE', min: 7, max: 8, priority: 5 },
];

const NONE = '<none>';

/** The lines of the images, one for each name, newest first, as `docker images` has it. */
export function imageEntries(images: readonly ImageSummary[], nowMs: number): readonly Entry[] {
  return images
    .toSorted((a, b) => b.Created - a.Created)
    .flatMap((image) => namesOf(image).map((name) => imageEntry(image, name, nowMs)));
}

/** How many lines the images have. */
export function countImageNames(images: readonly ImageSummary[]): number {
  return images.reduce((sum, image) => sum + namesOf(image).length, 0);
}

type ImageName = {
  readonly repository: string;
  readonly tag: string;
  readonly reference: string | undefined;
};

function namesOf(image: ImageSummary): readonly ImageName[] {
  const tags = (image.RepoTags ?? []).filter((tag) => tag !== `${NONE}:${NONE}`).map(cleanText);
  if (tags.length > 0) {
    return tags.map((reference) => {
      const colon = reference.lastIndexOf(':');
      return { repository: reference.slice(0, colon), tag: reference.slice(colon + 1), reference };
    });
  }
  const digest = (image.RepoDigests ?? []).find((name) => !name.startsWith(NONE));
  return [{ repository: cleanText(digest?.split('@')[0] ?? NONE), tag: NONE, reference: undefined }];
}

function imageEntry(image: ImageSummary, name: ImageName, nowMs: number): Entry {
  const ageMs = nowMs - image.Created * 1000;
  const shortId = cleanText(image.Id.replace(/^sha256:/, '').slice(0, 12));
  return {
    key: `${image.Id} ${name.reference ?? ''}`,
    target: name.reference ?? image.Id,
    name: name.reference ?? shortId,
    mark: 'image',
    running: false,
    cells: [name.repository, name.tag, shortId, `${formatDuration(ageMs)} ago`, formatSize(image.Size)],
    changesAtMs: nowMs + unchangedForMs(ageMs),
  };
}
