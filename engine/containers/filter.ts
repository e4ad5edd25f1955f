import { BerthError } from '../api/errors.ts';
import type { Filters } from '../api/fields.ts';
import { matchesLabel } from '../api/labels.ts';
import type { ContainerSummary } from '../api/wire.ts';
import type { Context } from './context.ts';
import { healthOf } from './health.ts';
import type { ContainerRecord } from './record.ts';
import { statusOf } from './views.ts';

type Test = (record: ContainerRecord) => boolean;
type Parts = Pick<Context, 'store' | 'images' | 'networks' | 'health'> & {
  readonly summarize: (record: ContainerRecord) => ContainerSummary;
};

const statuses = ['created', 'running', 'paused', 'restarting', 'removing', 'exited', 'dead'];
const healths = ['none', 'starting', 'healthy', 'unhealthy'];
const truths = ['1', 't', 'true'];
const untruths = ['0', 'f', 'false'];
/** Docker asks for all of several values of these, and for any of several values of the others. */
const allOfThem = ['label', 'before', 'since'];

/**
 * A test of containers for Docker's filters: all of them must hold. Throws `invalid` on one that is unknown or has a
 * value that it can't have, `notFound` for a container that `before` or `since` name.
 */
export function filterContainers(parts: Parts, filter: Filters): Test {
  const readers = filterReaders(parts);
  const tests = Object.entries(filter).flatMap(([name, values]) => {
    const read = Object.hasOwn(readers, name) ? readers[name] : undefined;
    if (read === undefined) {
      throw new BerthError('invalid', `invalid filter '${name}'`, {
        hint: `filter containers by ${Object.keys(readers).join(', ')}`,
      });
    }
    const all = values.map(read);
    if (all.length === 0 || allOfThem.includes(name)) return all;
    return [(record: ContainerRecord) => all.some((holds) => holds(record))];
  });
  return (record) => tests.every((holds) => holds(record));
}

/** A reader for each filter makes a test of one of its values: once for a list, however long that is. */
function filterReaders(parts: Parts): Readonly<Record<string, (value: string) => Test>> {
  const { store, images, networks, summarize } = parts;
  return {
    ancestor(value) {
      const isDescendant = descendantsOf(images, value);
      return (record) => record.imageName === value || isDescendant(record.imageId);
    },
    before(value) {
      const { sequence } = store.find(value);
      return (record) => record.sequence < sequence;
    },
    exited(value) {
      if (!/^-?\d+$/.test(value)) throw wrongValue('exited', value, 'an exit code');
      return ({ life }) => life.status === 'exited' && life.exitCode === Number(value);
    },
    expose(value) {
      const includes = portRange('expose', value);
      return (record) => summarize(record).Ports.some(({ PrivatePort, Type }) => includes(PrivatePort, Type));
    },
    health(value) {
      requireOneOf('health', value, healths);
      return (record) => (healthOf(parts, record)?.Status ?? 'none') === value;
    },
    id: (value) => (record) => record.id.startsWith(value),
    // Of Windows: here all are alike.
    isolation: (value) => () => value === '' || value === 'default',
    'is-task'(value) {
      requireOneOf('is-task', value.toLowerCase(), [...truths, ...untruths]);
      return () => untruths.includes(value.toLowerCase());
    },
    label: (value) => (record) => matchesLabel(record.config.Labels ?? {}, value),
    name(value) {
      const pattern = patternOf(value);
      return (record) => pattern.test(record.name) || pattern.test(`/${record.name}`);
    },
    network(value) {
      return (record) =>
        networks
          .attachmentsOf(record.id)
          .some(({ networkId, networkName }) => networkName === value || networkId.startsWith(value));
    },
    publish(value) {
      const includes = portRange('publish', value);
      return (record) =>
        summarize(record).Ports.some(
          ({ PublicPort, Type }) => PublicPort !== undefined && includes(PublicPort, Type),
        );
    },
    since(value) {
      const { sequence } = store.find(value);
      return (record) => record.sequence > sequence;
    },
    status(value) {
      requireOneOf('status', value, statuses);
      return (record) => statusOf(record.life) === value;
    },
    volume: (value) => (record) =>
      summarize(record).Mounts.some(
        ({ Name, Source, Destination }) => Name === value || Source === value || Destination === value,
      ),
  };
}

/** Whether a list that was not asked for all shows those that don't run too: it was asked for a state by name. */
export function looksAtAll(filter: Filters): boolean {
  return 'status' in filter;
}

/**
 * Tells the images that an image is at the bottom of: itself, and those that share all of its layers. An image that
 * isn't there is an ancestor of none.
 */
function descendantsOf(images: Parts['images'], name: string): (imageId: string) => boolean {
  const ancestor = resolveOr(images, name);
  const known = new Map<string, boolean>();
  return (imageId) => {
    if (ancestor === undefined) return false;
    let found = known.get(imageId);
    if (found === undefined) {
      const layers = resolveOr(images, imageId)?.layers ?? [];
      found =
        imageId === ancestor.id ||
        (ancestor.layers.length > 0 && ancestor.layers.every((layer, index) => layers[index] === layer));
      known.set(imageId, found);
    }
    return found;
  };
}

function resolveOr(images: Parts['images'], name: string) {
  try {
    return images.resolve(name);
  } catch (error) {
    if (error instanceof BerthError) return undefined;
    throw error;
  }
}

/** `80`, `80/tcp`, `80-90/udp`; TCP where no protocol is named. */
function portRange(filter: string, value: string): (port: number, type: string) => boolean {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/.exec(value);
  const [first, last] = [Number(match?.[1]), Number(match?.[2] ?? match?.[1])];
  if (match === null || last > 65535 || first > last)
    throw wrongValue(filter, value, 'a port or a range of them, as in 80, 80/tcp, 8000-8080/udp');
  const protocol = match[3] ?? 'tcp';
  return (port, type) => type === protocol && port >= first && port <= last;
}

function requireOneOf(filter: string, value: string, values: readonly string[]): void {
  if (!values.includes(value)) throw wrongValue(filter, value, `one of ${values.join(', ')}`);
}

function wrongValue(filter: string, value: string, expected: string): BerthError {
  return new BerthError('invalid', `invalid filter '${filter}=${value}'`, { hint: `expected ${expected}` });
}

/** Docker takes names as regular expressions; one that isn't any is taken as it stands. */
function patternOf(value: string): RegExp {
  try {
    return new RegExp(value);
  } catch {
    return new RegExp(value.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
  }
}
