import { type Field, list, string, type ValuesOf } from '../fields.ts';
import { parseSize } from '../sizes.ts';
import type { HostConfig, Mount } from '../wire/host-config.ts';
import { splitCsv } from './csv.ts';
import { readMap, readPair, saidOnly, wrongValue } from './pairs.ts';

/** What is mounted into it. */
export const mountFields = {
  volume: list('Mount a volume, or a directory of the host by its absolute path', {
    short: 'v',
    placeholder: '[SOURCE:]CONTAINER[:ro]',
  }),
  mount: list('Mount something, as in type=bind,src=/data,dst=/data', {
    placeholder: 'KEY=VALUE,…',
  }),
  tmpfs: list('Mount a directory that lives in memory', { placeholder: 'DIR[:OPTIONS]' }),
  volumesFrom: list("Mount another container's directories too", { placeholder: 'CONTAINER[:ro]' }),
  volumeDriver: string('Driver of volumes that -v makes', { placeholder: 'DRIVER' }),
} as const satisfies Record<string, Field>;

/** The mounts as the Engine API has them: those of HostConfig, and paths that get a volume without a name. Throws `invalid`. */
export function mountsBody(options: ValuesOf<typeof mountFields>): {
  readonly host: Partial<HostConfig>;
  readonly volumes: Readonly<Record<string, object>> | undefined;
} {
  const binds = options.volume?.filter((text) => text.includes(':'));
  const unnamed = options.volume?.filter((text) => !text.includes(':'));
  return {
    host: saidOnly({
      Binds: binds?.length ? binds : null,
      Mounts: options.mount?.map(readMount),
      Tmpfs:
        options.tmpfs &&
        Object.fromEntries(
          options.tmpfs.map((text) => {
            const colon = text.indexOf(':');
            return colon < 0 ? [text, ''] : [text.slice(0, colon), text.slice(colon + 1)];
          }),
        ),
      VolumesFrom: options.volumesFrom,
      VolumeDriver: options.volumeDriver,
    }) as Partial<HostConfig>,
    volumes: unnamed?.length ? Object.fromEntries(unnamed.map((path) => [path, {}])) : undefined,
  };
}

/** Reads docker's `--mount`: keys and values parted by commas, quoted as in CSV where they hold one. Throws `invalid`. */
function readMount(text: string): Mount {
  const wrong = (takes: string) => wrongValue('mount', text, takes);
  const mount = {
    Type: 'volume',
    Source: undefined as string | undefined,
    Target: undefined as string | undefined,
    ReadOnly: undefined as boolean | undefined,
    Consistency: undefined as string | undefined,
  };
  const bind: Record<string, unknown> = {};
  const tmpfs: Record<string, unknown> = {};
  const volume: Record<string, unknown> = {};
  const labels: string[] = [];
  const driver: Record<string, unknown> = {};
  const driverOptions: string[] = [];
  for (const part of splitCsv(text)) {
    const [key, value] = readPair('mount', part, { bare: true });
    const truth = () => {
      if (value === '' && !part.includes('=')) return true;
      if (/^(1|t|true)$/i.test(value)) return true;
      if (/^(0|f|false)$/i.test(value)) return false;
      throw wrong(`true or false for ${key}`);
    };
    switch (key.toLowerCase()) {
      case 'type':
        mount.Type = value.toLowerCase();
        break;
      case 'source':
      case 'src':
        mount.Source = value;
        break;
      case 'target':
      case 'dst':
      case 'destination':
        mount.Target = value;
        break;
      case 'readonly':
      case 'ro':
        mount.ReadOnly = truth();
        break;
      case 'consistency':
        mount.Consistency = value.toLowerCase();
        break;
      case 'bind-propagation':
        bind.Propagation = value.toLowerCase();
        break;
      case 'bind-nonrecursive':
        bind.NonRecursive = truth();
        break;
      case 'bind-create-src':
        bind.CreateMountpoint = truth();
        break;
      case 'bind-recursive':
        Object.assign(bind, recursion(value, wrong));
        break;
      case 'volume-nocopy':
        volume.NoCopy = truth();
        break;
      case 'volume-subpath':
        volume.Subpath = value;
        break;
      case 'volume-label':
        labels.push(value);
        break;
      case 'volume-driver':
        driver.Name = value;
        break;
      case 'volume-opt':
        driverOptions.push(value);
        break;
      case 'tmpfs-size':
        try {
          tmpfs.SizeBytes = parseSize(value);
        } catch {
          throw wrong('a size for tmpfs-size');
        }
        break;
      case 'tmpfs-mode':
        if (!/^[0-7]{1,5}$/.test(value)) throw wrong('octal digits for tmpfs-mode');
        tmpfs.Mode = Number.parseInt(value, 8);
        break;
      default:
        throw wrong(`keys that a mount has, not '${key}'`);
    }
  }
  if (mount.Target === undefined) throw wrong('a target');
  if (labels.length > 0) volume.Labels = readMap('mount', labels, { bare: true });
  if (driverOptions.length > 0) driver.Options = readMap('mount', driverOptions, { bare: true });
  if (Object.keys(driver).length > 0) volume.DriverConfig = driver;
  const some = (options: object) => (Object.keys(options).length === 0 ? undefined : options);
  return saidOnly({
    ...mount,
    BindOptions: some(bind),
    VolumeOptions: some(volume),
    TmpfsOptions: some(tmpfs),
  }) as Mount;
}

function recursion(value: string, wrong: (takes: string) => Error): object {
  switch (value) {
    case '':
    case 'enabled':
      return {};
    case 'disabled':
      return { NonRecursive: true };
    case 'writable':
      return { ReadOnlyNonRecursive: true };
    case 'readonly':
      return { ReadOnlyForceRecursive: true };
    default:
      throw wrong('enabled, disabled, writable or readonly for bind-recursive');
  }
}
