import { BerthError } from '../api/errors.ts';
import type { Filters } from '../api/fields.ts';
import { matchesLabel, passesLabels } from '../api/labels.ts';
import { unixMoment } from '../api/moment.ts';
import type { Volume } from '../api/wire/volumes.ts';
import { writtenBytes } from '../archives/sizes.ts';
import { type Database, durably } from '../state/database.ts';
import { SETTLED_MS } from '../state/faults.ts';
import { volumeLooks } from './check.ts';
import { createClaims } from './claims.ts';
import { createHolds } from './holds.ts';
import { ANONYMOUS_LABEL, checkDriver, checkVolumeName, inventVolumeName } from './names.ts';
import { checkOptions, isMounted } from './options.ts';
import { openPlaces } from './places.ts';
import { openVolumeRows, type VolumeRecord } from './rows.ts';
import type { Volumes } from './types.ts';

/** Opens the volumes of an engine, directories below `root`. `recover` is to be called before anything else. */
export function openVolumes(options: {
  readonly root: string;
  readonly database: Database;
  readonly onEvent: (event: {
    readonly action: string;
    readonly id: string;
    readonly attributes: Readonly<Record<string, string>>;
  }) => void;
  readonly warn: (message: string) => void;
  /** What is younger a check lets be. */
  readonly settledMs?: number;
}): Volumes {
  const { onEvent, warn, settledMs = SETTLED_MS } = options;
  let usersOf: (name: string) => readonly string[] = () => [];
  const rows = openVolumeRows(options.database);
  const places = openPlaces(options.root);
  const claims = createClaims({ rows, places, made: tellMade, remove: takeAway });
  const holds = createHolds({ rows, places });

  function tellMade({ name }: VolumeRecord): void {
    onEvent({ action: 'create', id: name, attributes: { driver: 'local' } });
  }

  async function takeAway(record: VolumeRecord): Promise<void> {
    await places.remove(record.name);
    rows.drop(record);
    onEvent({ action: 'destroy', id: record.name, attributes: { driver: 'local' } });
  }

  const find = (name: string): VolumeRecord => {
    const record = rows.find(name);
    if (record !== undefined) return record;
    throw new BerthError('notFound', `get ${name}: no such volume`, { hint: 'berth volume ls' });
  };

  const isFree = ({ name }: VolumeRecord) =>
    usersOf(name).length === 0 && !claims.isClaimed(name) && !holds.isHeld(name);

  /** -1 where it is not the engine's to know: what is mounted is somebody else's. */
  const sizeOf = async ({ name, options: given }: VolumeRecord) =>
    isMounted(given) ? -1 : await writtenBytes(places.data(name));

  const usageOf = async (record: VolumeRecord): Promise<Volume> => {
    const Size = await sizeOf(record);
    return { ...view(record), UsageData: { RefCount: usersOf(record.name).length, Size } };
  };

  /** A directory that no row tells of holds somebody's data: it is a volume. */
  const adopt = (name: string) =>
    rows.add({ name, options: {}, labels: {}, createdAt: new Date().toISOString(), state: 'ready' });

  const view = ({ name, labels, options: given, createdAt }: VolumeRecord): Volume => ({
    CreatedAt: createdAt,
    Driver: 'local',
    Labels: Object.keys(labels).length === 0 ? null : labels,
    Mountpoint: places.data(name),
    Name: name,
    Options: Object.keys(given).length === 0 ? null : given,
    Scope: 'local',
  });

  return {
    async create({ Name = '', Driver, DriverOpts, Labels }) {
      checkDriver(Driver);
      const wanted = checkOptions(DriverOpts ?? {});
      const name = Name === '' ? inventVolumeName() : checkVolumeName(Name);
      const found = rows.find(name);
      if (found !== undefined) return view(found);
      const labels = Name === '' ? { [ANONYMOUS_LABEL]: '', ...Labels } : (Labels ?? {});
      await using claim = await claims.claim([{ name, options: wanted, labels }]);
      durably(options.database, () => claim.keep());
      return view(find(name));
    },

    list(filter) {
      const passes = listFilter(filter, isFree);
      return { Volumes: rows.all().filter(passes).map(view), Warnings: null };
    },

    inspect: (name) => view(find(name)),
    inspectUsage: (name) => usageOf(find(name)),
    checks: () => volumeLooks({ rows, places, isHeld: holds.isHeld, adopt, settledMs }),

    async remove(name, { force }) {
      if (force && rows.find(name) === undefined) return;
      const record = find(name);
      if (!isFree(record)) {
        const users = usersOf(name);
        throw new BerthError('conflict', `remove ${name}: volume is in use - [${users.join(', ')}]`, {
          hint: `berth ps -a --filter volume=${name}`,
        });
      }
      await takeAway(record);
    },

    async prune(filter, { all }) {
      const passes = pruneFilter(filter);
      const removed: string[] = [];
      let bytes = 0;
      for (const record of rows.all()) {
        if (!(all || ANONYMOUS_LABEL in record.labels) || !passes(record) || !isFree(record)) continue;
        const written = await sizeOf(record);
        // Somebody may have taken it meanwhile.
        if (rows.find(record.name) !== record || !isFree(record)) continue;
        try {
          await takeAway(record);
        } catch (error) {
          warn(`volume ${record.name}: ${String(error)}`);
          continue;
        }
        bytes += Math.max(0, written);
        removed.push(record.name);
      }
      onEvent({ action: 'prune', id: '', attributes: { reclaimed: String(bytes) } });
      return { VolumesDeleted: removed.length === 0 ? null : removed, SpaceReclaimed: bytes };
    },

    async usage() {
      const views: Volume[] = [];
      for (const record of rows.all()) views.push(await usageOf(record));
      return views;
    },

    claim: claims.claim,
    fill: claims.fill,
    forgets: (name) => rows.find(name)?.options.type === 'tmpfs',
    mountpoint: places.data,
    hold: holds.hold,
    release: holds.release,

    async removeAnonymous(names) {
      for (const name of names) {
        const record = rows.find(name);
        if (record === undefined || !isFree(record)) continue;
        await takeAway(record).catch((error: unknown) => warn(`volume ${name}: ${String(error)}`));
      }
    },

    async recover(containers) {
      usersOf = containers.usersOf;
      await places.sweep();
      for (const record of rows.all()) {
        try {
          // A removal that was under way, or a create of which nobody was told; one that a container has was neither.
          const isUsed = usersOf(record.name).length > 0;
          if (!places.has(record.name) && isUsed) throw new Error('its directory is not there');
          else if (!places.has(record.name)) rows.drop(record);
          else if (record.state === 'new') await takeAway(record);
          else if (record.state === 'filling') {
            await places.clear(record.name);
            rows.setState(record, 'ready');
          }
        } catch (error) {
          warn(`volume ${record.name} could not be recovered: ${String(error)}`);
        }
      }
      for (const name of places.names()) if (rows.find(name) === undefined && places.has(name)) adopt(name);
      holds.recover(containers.held);
    },
  };
}

type Test = (record: VolumeRecord) => boolean;

const truths: Readonly<Record<string, boolean>> = {
  ...{ '1': true, t: true, T: true, true: true, TRUE: true, True: true },
  ...{ '0': false, f: false, F: false, false: false, FALSE: false, False: false },
};

/** Values of one key are alternatives, but for labels; keys must all hold (Engine API, VolumeList). Throws `invalid`. */
function listFilter(filter: Filters, isFree: Test): Test {
  const tests: Readonly<Record<string, (values: readonly string[]) => Test>> = {
    name: (values) => (record) => values.some((value) => record.name.includes(value)),
    driver: (values) => () => values.includes('local'),
    label: (values) => (record) => values.every((value) => matchesLabel(record.labels, value)),
    dangling: (values) => {
      const wanted = values.map((value) => readTruth('dangling', value));
      return (record) => wanted.includes(isFree(record));
    },
  };
  requireKnown(filter, Object.keys(tests), 'filter volumes by');
  const chosen = Object.entries(filter).flatMap(([name, values]) =>
    values.length === 0 ? [] : [tests[name]?.(values) ?? (() => true)],
  );
  return (record) => chosen.every((holds) => holds(record));
}

/** `all` is read by whoever calls. */
function pruneFilter(filter: Filters): Test {
  requireKnown(filter, ['label', 'label!', 'all', 'until'], 'prune volumes by');
  const until = (filter.until ?? []).map((text) => Number(unixMoment(text)) * 1000);
  return ({ labels, createdAt }) =>
    passesLabels(labels, filter) && until.every((moment) => Date.parse(createdAt) <= moment);
}

/** Throws `invalid` on a filter that is not among those known. */
function requireKnown(filter: Filters, known: readonly string[], hint: string): void {
  for (const name of Object.keys(filter))
    if (!known.includes(name))
      throw new BerthError('invalid', `invalid filter '${name}'`, { hint: `${hint} ${known.join(', ')}` });
}

/** A filter's truth as Go reads one. Throws `invalid`. */
export function readTruth(name: string, value: string): boolean {
  const truth = Object.hasOwn(truths, value) ? truths[value] : undefined;
  if (truth !== undefined) return truth;
  throw new BerthError('invalid', `invalid filter '${name}=${value}'`, {
    hint: `write ${name}=true or ${name}=false`,
  });
}
