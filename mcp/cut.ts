import { CONTENT_BYTES, clip, wireBytes } from './budget.ts';

/** Values longer than this are cut, lists of more items too; less where the whole is too large for a result. */
const CUTS = [
  { value: 1000, items: 100 },
  { value: 300, items: 40 },
  { value: 100, items: 20 },
] as const;

/** What cuts the values of a description, and remembers whether it had to. */
export type Cutter = {
  readonly short: (value: string) => string;
  readonly few: (values: readonly string[]) => readonly string[];
  readonly map: (entries: readonly (readonly [string, string])[]) => Readonly<Record<string, string>>;
  readonly truncated: () => boolean;
};

/** A description of one thing as text and as data, cut until both fit into a result. */
export function fitted<Data>(
  describe: (cutter: Cutter) => Data,
  textOf: (data: Data) => string,
): { readonly text: string; readonly data: Data } {
  let data = describe(cutterOf(CUTS[0]));
  for (const cut of CUTS) {
    data = describe(cutterOf(cut));
    if (wireBytes(data) + wireBytes(textOf(data)) <= 2 * CONTENT_BYTES) break;
  }
  return { text: textOf(data), data };
}

function cutterOf({ value: maxLength, items: maxItems }: (typeof CUTS)[number]): Cutter {
  let truncated = false;
  const short = (value: string) => {
    if (value.length > maxLength) truncated = true;
    return clip(value, maxLength);
  };
  const first = <T>(values: readonly T[]) => {
    if (values.length > maxItems) truncated = true;
    return values.slice(0, maxItems);
  };
  return {
    short,
    few: (values) => first(values).map(short),
    map: (entries) => Object.fromEntries(first(entries).map(([name, value]) => [short(name), short(value)])),
    truncated: () => truncated,
  };
}

/** `name=value`, one after the other, as a line. */
export function pairs(map: Readonly<Record<string, string>>): string {
  return Object.entries(map)
    .map(([name, value]) => (value === '' ? name : `${name}=${value}`))
    .join(', ');
}

export const CUT_NOTE = 'long values and lists were cut';

/** A moment without its fractions; undefined for the zero time, which stands for never. */
export function moment(text: string | undefined): string | undefined {
  if (text === undefined || text === '' || text.startsWith('0001-')) return undefined;
  return text.replace(/\.\d+/, '');
}
