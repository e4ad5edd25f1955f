import { BerthError } from '../api/errors.ts';
import type { Filters } from '../api/fields.ts';
import { unixMoment } from '../api/moment.ts';
import type { Network } from './types.ts';

type Test = (network: Network, wanted: string, isUsed: (network: Network) => boolean) => boolean;

const isTrue = (text: string) => ['1', 't', 'true'].includes(text.toLowerCase());

const listTests: Readonly<Record<string, Test>> = {
  name: ({ name }, wanted) => matches(name, wanted),
  id: ({ id }, wanted) => matches(id, wanted),
  driver: ({ driver }, wanted) => driver === wanted,
  scope: (_network, wanted) => wanted === 'local',
  type: ({ builtin }, wanted) => {
    if (wanted !== 'builtin' && wanted !== 'custom')
      throw new BerthError('invalid', `invalid filter: 'type'='${wanted}'`, {
        hint: 'it is builtin or custom',
      });
    return builtin === (wanted === 'builtin');
  },
  dangling: (network, wanted, isUsed) => !network.builtin && isUsed(network) !== isTrue(wanted),
  label: hasLabel,
};

/** Values of one key are alternatives (of labels all must be there), keys must all hold (Engine API, NetworkList). Throws `invalid`. */
export function networkFilter(
  filter: Filters,
  isUsed: (network: Network) => boolean,
): (network: Network) => boolean {
  refuseUnknown(filter, listTests, 'filter networks by');
  return (network) =>
    Object.entries(filter).every(([key, values]) => {
      const holds = (wanted: string) => listTests[key]?.(network, wanted, isUsed) === true;
      return values.length === 0 || (key === 'label' ? values.every(holds) : values.some(holds));
    });
}

const pruneTests: Readonly<Record<string, Test>> = {
  label: hasLabel,
  'label!': (network, wanted) => !hasLabel(network, wanted),
  until: () => true,
};

/** Which networks a prune may take: labels, and `until`, the moment that they were made before (Engine API, NetworkPrune). Throws `invalid`. */
export function pruneFilter(filter: Filters): (network: Network) => boolean {
  refuseUnknown(filter, pruneTests, 'prune networks by');
  const { until = [], ...others } = filter;
  if (until.length > 1)
    throw new BerthError('invalid', `more than one until filter specified: ${until.join(', ')}`);
  const before = until[0] === undefined ? Number.POSITIVE_INFINITY : Number(unixMoment(until[0])) * 1000;
  return (network) =>
    Date.parse(network.createdAt) < before &&
    Object.entries(others).every(([key, values]) =>
      values.every((wanted) => pruneTests[key]?.(network, wanted, () => false) === true),
    );
}

function refuseUnknown(filter: Filters, tests: Readonly<Record<string, Test>>, says: string): void {
  for (const key of Object.keys(filter)) {
    if (!Object.hasOwn(tests, key))
      throw new BerthError('invalid', `invalid filter '${key}'`, {
        hint: `${says} ${Object.keys(tests).join(', ')}`,
      });
  }
}

function hasLabel({ labels }: Network, wanted: string): boolean {
  const equals = wanted.indexOf('=');
  const name = equals < 0 ? wanted : wanted.slice(0, equals);
  return Object.hasOwn(labels, name) && (equals < 0 || labels[name] === wanted.slice(equals + 1));
}

/** Docker takes a part of a name, or a regular expression. */
function matches(text: string, wanted: string): boolean {
  if (text.includes(wanted)) return true;
  try {
    return new RegExp(wanted).test(text);
  } catch {
    return false;
  }
}
