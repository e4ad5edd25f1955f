import { BerthError } from '../api/errors.ts';
import type { Filters } from '../api/fields.ts';
import { unixMoment } from '../api/moment.ts';
import type { Labels } from '../api/wire.ts';

/** What the filters of a listing look at. */
export type Filtered = {
  readonly tags: readonly string[];
  readonly digests: readonly string[];
  readonly labels: Labels | null;
  readonly createdMs: number;
};

const KNOWN = ['before', 'since', 'until', 'dangling', 'label', 'reference'];

/**
 * Makes a function that narrows an image to what the filters let through: undefined, or the image with the names
 * that match. Several values of one filter are alternatives, but for labels, which all have to be there. `createdOf`
 * gives the moment an image was made, for `before` and `since`; throws `notFound`. Throws `invalid` on an unknown
 * filter (dockerd: 400).
 */
export function imageFilter(
  filters: Filters,
  createdOf: (name: string) => number,
): <T extends Filtered>(image: T) => T | undefined {
  for (const name of Object.keys(filters)) {
    if (KNOWN.includes(name)) continue;
    throw new BerthError('invalid', `invalid filter '${name}'`, {
      hint: `filters of images are ${KNOWN.join(', ')}`,
    });
  }
  const before = (filters.before ?? []).map(createdOf);
  const since = (filters.since ?? []).map(createdOf);
  // A moment, or a length of time before now.
  const until = (filters.until ?? []).map((text) => Number(unixMoment(text)) * 1000);
  const dangling = (filters.dangling ?? []).map(parseTruth);
  const labels = (filters.label ?? []).map(parseLabel);
  const patterns = (filters.reference ?? []).map(globPattern);
  return (image) => {
    if (!before.every((moment) => image.createdMs < moment)) return undefined;
    if (!until.every((moment) => image.createdMs < moment)) return undefined;
    if (!since.every((moment) => image.createdMs > moment)) return undefined;
    if (!labels.every(({ key, value }) => hasLabel(image.labels ?? {}, key, value))) return undefined;
    const isDangling = image.tags.length === 0 && image.digests.length === 0;
    if (dangling.length > 0 && !dangling.includes(isDangling)) return undefined;
    if (patterns.length === 0) return image;
    const matches = (text: string) =>
      patterns.some((pattern) => pattern.test(text) || pattern.test(withoutTag(text)));
    const [tags, digests] = [image.tags.filter(matches), image.digests.filter(matches)];
    return tags.length === 0 && digests.length === 0 ? undefined : { ...image, tags, digests };
  };
}

export function parseTruth(text: string): boolean {
  if (['true', '1', 't', 'TRUE', 'True', 'T'].includes(text)) return true;
  if (['false', '0', 'f', 'FALSE', 'False', 'F'].includes(text)) return false;
  throw new BerthError('invalid', `invalid filter 'dangling=${text}'`, {
    hint: 'write dangling=true or dangling=false',
  });
}

export function parseLabel(text: string): { readonly key: string; readonly value: string | undefined } {
  const equals = text.indexOf('=');
  return equals < 0
    ? { key: text, value: undefined }
    : { key: text.slice(0, equals), value: text.slice(equals + 1) };
}

export function hasLabel(labels: Labels, key: string, value: string | undefined): boolean {
  return Object.hasOwn(labels, key) && (value === undefined || labels[key] === value);
}

/** `host:5000/app` of `host:5000/app:tag` and of `host:5000/app@sha256:…`. */
function withoutTag(text: string): string {
  const name = text.split('@')[0] ?? text;
  const colon = name.lastIndexOf(':');
  return colon > name.lastIndexOf('/') ? name.slice(0, colon) : name;
}

/** A glob as Go's path.Match reads it: `*` and `?` stop at a slash, `[a-z]`, `[^a]`, backslash. */
function globPattern(glob: string): RegExp {
  const literal = (text: string) => text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&');
  const source = glob.replace(/\\(.)|\[(\^?)((?:\\.|[^\]\\])+)\]|[\s\S]/g, (piece, escaped, not, set) => {
    if (escaped !== undefined) return literal(escaped);
    if (set !== undefined) return `[${not}${set.replace(/[[\]]/g, '\\$&')}]`;
    if (piece === '*') return '[^/]*';
    return piece === '?' ? '[^/]' : literal(piece);
  });
  try {
    return new RegExp(`^${source}$`);
  } catch (cause) {
    throw new BerthError('invalid', `invalid filter 'reference=${glob}': the pattern is malformed`, {
      cause,
    });
  }
}
