import { BerthError } from '../api/errors.ts';
import type { Filters } from '../api/fields.ts';
import { unixMoment } from '../api/moment.ts';
import type { ImageConfig } from './config.ts';
import { hasLabel, parseLabel, parseTruth } from './filter.ts';
import type { ImageRow, ImageRows } from './rows.ts';

const KNOWN = ['dangling', 'label', 'label!', 'until'];

/**
 * Tells the images that a prune takes away: those without a tag, or all with `dangling=false`, that no container uses
 * and that the filters choose: `until`, a moment that they were made before, `label` and `label!`. Throws `invalid`.
 */
export function imagesToPrune(
  {
    rows,
    configOf,
    isUsed,
  }: {
    readonly rows: Pick<ImageRows, 'images' | 'namesOf'>;
    readonly configOf: (id: ImageRow['id']) => ImageConfig;
    readonly isUsed: (id: ImageRow['id']) => boolean;
  },
  filters: Filters,
): readonly ImageRow[] {
  for (const name of Object.keys(filters)) {
    if (!KNOWN.includes(name))
      throw new BerthError('invalid', `invalid filter '${name}'`, {
        hint: `prune images by ${KNOWN.join(', ')}`,
      });
  }
  const { dangling = [], label = [], 'label!': notLabel = [], until = [] } = filters;
  if (until.length > 1)
    throw new BerthError('invalid', `more than one until filter specified: ${until.join(', ')}`);
  const danglingOnly = dangling.length === 0 || dangling.map(parseTruth).every(Boolean);
  const before = until[0] === undefined ? Number.POSITIVE_INFINITY : Number(unixMoment(until[0])) * 1000;
  const [wanted, unwanted] = [label.map(parseLabel), notLabel.map(parseLabel)];
  return rows.images().filter(({ id }) => {
    if (isUsed(id) || (danglingOnly && rows.namesOf(id).length > 0)) return false;
    const { created, config } = configOf(id);
    const labels = config.Labels ?? {};
    if (Date.parse(created) > before) return false;
    if (!wanted.every(({ key, value }) => hasLabel(labels, key, value))) return false;
    return unwanted.length === 0 || !unwanted.every(({ key, value }) => hasLabel(labels, key, value));
  });
}
