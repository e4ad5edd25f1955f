import { type Digest, parseDigest } from '../api/digest.ts';
import { BerthError } from '../api/errors.ts';
import type { HealthConfig } from '../api/wire/host-config.ts';
import type { ContainerConfig } from '../api/wire.ts';

/** An image's config, checked: OCI image spec, config.md; Docker's has the same fields. */
export type ImageConfig = {
  readonly os: string;
  readonly architecture: string;
  readonly variant: string | undefined;
  /** RFC 3339; `0001-01-01T00:00:00Z` where the image doesn't say. */
  readonly created: string;
  readonly author: string;
  readonly comment: string;
  readonly dockerVersion: string;
  readonly diffIds: readonly Digest[];
  readonly config: ContainerConfig;
  /** The container that docker's builder made the image of, and its config: empty where another made it. */
  readonly container: string;
  readonly containerConfig: ContainerConfig;
  /** Oldest first. */
  readonly history: readonly HistoryItem[];
};

/** How an image came to be, step by step. */
export type HistoryItem = {
  readonly created: string;
  readonly createdBy: string;
  readonly comment: string;
  /** Whether the step made no layer. */
  readonly emptyLayer: boolean;
};

const NEVER = '0001-01-01T00:00:00Z';

type Json = Readonly<Record<string, unknown>>;

/** Reads a config. What an image says is hostile: a field of the wrong type makes it `invalid`. */
export function parseImageConfig(bytes: Buffer, what: string): ImageConfig {
  const fail = (why: string): never => {
    throw new BerthError('invalid', `the config of ${what} is malformed: ${why}`);
  };
  let parsed: unknown;
  try {
    parsed = JSON.parse(bytes.toString());
  } catch {
    fail('it is not JSON');
  }
  if (!isObject(parsed)) return fail('it is not an object');
  const fields = reader(parsed, fail);
  const rootfs = parsed.rootfs;
  if (!isObject(rootfs) || !Array.isArray(rootfs.diff_ids)) return fail('it names no layers');
  const created = fields.text('created') ?? '';
  return {
    os: fields.text('os') || 'linux',
    architecture: fields.text('architecture') ?? '',
    variant: fields.text('variant') || undefined,
    created: Number.isNaN(Date.parse(created)) ? NEVER : created,
    author: fields.text('author') ?? '',
    comment: fields.text('comment') ?? '',
    dockerVersion: fields.text('docker_version') ?? '',
    diffIds: rootfs.diff_ids.map((value) => parseDigest(value, `a layer in the config of ${what}`)),
    config: containerConfig(isObject(parsed.config) ? parsed.config : {}, fail),
    container: fields.text('container') ?? '',
    containerConfig: containerConfig(isObject(parsed.container_config) ? parsed.container_config : {}, fail),
    history: historyOf(parsed.history),
  };
}

/** Nothing is done by it but to show it: what is malformed is left empty. */
function historyOf(value: unknown): readonly HistoryItem[] {
  const text = (given: unknown) => (typeof given === 'string' ? given : '');
  return (Array.isArray(value) ? value : []).filter(isObject).map((item) => ({
    created: Number.isNaN(Date.parse(text(item.created))) ? NEVER : text(item.created),
    createdBy: text(item.created_by),
    comment: text(item.comment),
    emptyLayer: item.empty_layer === true,
  }));
}

/** Reads what is to be an image's config for containers. Throws `invalid` on a field of the wrong type. */
export function readContainerConfig(source: Json): ContainerConfig {
  return containerConfig(source, (why) => {
    throw new BerthError('invalid', `the config is malformed: ${why}`);
  });
}

/** The defaults for containers, with every field that dockerd shows. */
function containerConfig(source: Json, fail: (why: string) => never): ContainerConfig {
  const { text, list, set, labels } = reader(source, fail);
  const stopSignal = text('StopSignal');
  const health = healthcheck(source.Healthcheck, fail);
  const shell = list('Shell');
  return {
    Hostname: '',
    Domainname: '',
    User: text('User') ?? '',
    AttachStdin: false,
    AttachStdout: false,
    AttachStderr: false,
    ExposedPorts: set('ExposedPorts'),
    Tty: false,
    OpenStdin: false,
    StdinOnce: false,
    Env: list('Env'),
    Cmd: list('Cmd'),
    Image: '',
    Volumes: set('Volumes'),
    WorkingDir: text('WorkingDir') ?? '',
    Entrypoint: list('Entrypoint'),
    OnBuild: list('OnBuild'),
    Labels: labels('Labels'),
    ...(stopSignal === undefined || stopSignal === '' ? {} : { StopSignal: stopSignal }),
    ...(health === undefined ? {} : { Healthcheck: health }),
    ...(shell?.length ? { Shell: shell } : {}),
  };
}

/** How an image wants its containers' health looked at; times in nanoseconds (Docker's image spec v1.3). */
function healthcheck(value: unknown, fail: (why: string) => never): HealthConfig | undefined {
  if (value == null) return undefined;
  if (!isObject(value)) return fail('Healthcheck is not an object');
  const numbers = ['Interval', 'Timeout', 'StartPeriod', 'StartInterval', 'Retries'].flatMap((name) => {
    const number = value[name] ?? 0;
    if (!Number.isSafeInteger(number) || (number as number) < 0) fail(`Healthcheck.${name} is not a number`);
    return number === 0 ? [] : [[name, number] as const];
  });
  return { Test: reader(value, fail).list('Test') ?? [], ...Object.fromEntries(numbers) };
}

function reader(source: Json, fail: (why: string) => never) {
  const isText = (value: unknown): value is string => typeof value === 'string' && !value.includes('\0');
  const map = (name: string): Json | null => {
    const value = source[name] ?? null;
    return value === null || isObject(value) ? value : fail(`${name} is not an object`);
  };
  return {
    text: (name: string): string | undefined => {
      const value = source[name] ?? undefined;
      return value === undefined || isText(value) ? value : fail(`${name} is not text`);
    },
    list: (name: string): readonly string[] | null => {
      const value = source[name] ?? null;
      if (value === null) return null;
      return Array.isArray(value) && value.every(isText) ? value : fail(`${name} is not a list of texts`);
    },
    set: (name: string): Readonly<Record<string, object>> | null => {
      const value = map(name);
      return value === null ? null : Object.fromEntries(Object.keys(value).map((key) => [key, {}]));
    },
    labels: (name: string): Readonly<Record<string, string>> | null => {
      const value = map(name);
      if (value === null) return null;
      const entries = Object.entries(value).map(
        ([key, label]) => [key, isText(label) ? label : fail(`label ${key} is not text`)] as const,
      );
      return Object.fromEntries(entries);
    },
  };
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
