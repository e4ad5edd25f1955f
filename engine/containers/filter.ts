import { BerthError } from '../api/errors.ts';
import type { Filters } from '../api/fields.ts';
import type { ContainerRecord, ContainerStore } from './record.ts';

type Test = (record: ContainerRecord, value: string) => boolean;

const statuses = ['created', 'running', 'paused', 'restarting', 'removing', 'exited', 'dead'];

/** A test of containers for Docker's filters: any value of one filter, and all filters. Throws `invalid` on an unknown one. */
export function filterContainers(
  store: ContainerStore,
  filter: Filters,
  resolveImage: (name: string) => string | undefined,
): (record: ContainerRecord) => boolean {
  const createdAt = (name: string) => Date.parse(store.find(name).createdAt);
  const tests: Readonly<Record<string, Test>> = {
    id: (record, value) => record.id.startsWith(value),
    name: (record, value) => patternOf(value).test(record.name) || patternOf(value).test(`/${record.name}`),
    status: (record, value) => record.life.status === value,
    exited: (record, value) => record.life.status === 'exited' && record.life.exitCode === Number(value),
    label: (record, value) => matchesLabel(record.config.Labels ?? {}, value),
    ancestor: (record, value) => record.imageName === value || record.imageId === resolveImage(value),
    before: (record, value) => Date.parse(record.createdAt) < createdAt(value),
    since: (record, value) => Date.parse(record.createdAt) > createdAt(value),
    network: (record, value) => record.hostConfig.NetworkMode === value,
  };
  for (const [name, values] of Object.entries(filter)) {
    if (tests[name] === undefined) {
      throw new BerthError('invalid', `invalid filter '${name}'`, {
        hint: `filter containers by ${Object.keys(tests).join(', ')}`,
      });
    }
    const odd = name === 'status' ? values.find((value) => !statuses.includes(value)) : undefined;
    if (odd !== undefined) {
      throw new BerthError('invalid', `invalid value '${odd}' for filter status`, {
        hint: `use one of ${statuses.join(', ')}`,
      });
    }
  }
  return (record) =>
    Object.entries(filter).every(([name, values]) => {
      const matches = (value: string) => tests[name]?.(record, value) === true;
      if (values.length === 0) return true;
      // Docker asks for all of several labels, and for any of several values of the others.
      return name === 'label' ? values.every(matches) : values.some(matches);
    });
}

function matchesLabel(labels: Readonly<Record<string, string>>, value: string): boolean {
  const equals = value.indexOf('=');
  return equals < 0
    ? Object.hasOwn(labels, value)
    : labels[value.slice(0, equals)] === value.slice(equals + 1);
}

/** Docker takes names as regular expressions; one that isn't any is taken as it stands. */
function patternOf(value: string): RegExp {
  try {
    return new RegExp(value);
  } catch {
    return new RegExp(value.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
  }
}
