import { isIP } from 'node:net';
import { z } from 'zod';
import { BerthError } from '../api/errors.ts';
import type { CreateContainerBody, HostConfig } from '../api/wire.ts';
import { readExtraHost } from './extra-hosts.ts';
import { checkRestartPolicy } from './restart-policy.ts';

const text = z.string().refine((value) => !value.includes('\0'), 'text without null bytes');
const texts = z.array(text).nullish();
// Old clients send a string where a list of one is meant.
const words = z.preprocess((value) => (typeof value === 'string' ? [value] : value), texts);
// These go into files of lines and words.
const nameWords = z.array(text.regex(/^\S+$/, 'a word without spaces')).nullish();
const addresses = z.array(text.refine((value) => isIP(value) !== 0, 'an IP address')).nullish();
const hostLines = z
  .array(text.refine((value) => readExtraHost(value) !== undefined, 'NAME:ADDRESS'))
  .nullish();
const map = z.record(z.string(), z.unknown()).nullish();
const count = z.number().int();
const screenSide = count.min(0).max(65535);

/** What is read of the body; everything else of it is checked by name below. */
const configShape = z.looseObject({
  Image: text.min(1),
  Hostname: text
    .max(63)
    .regex(/^$|^[a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?$/)
    .nullish(),
  User: text.nullish(),
  Tty: z.boolean().nullish(),
  OpenStdin: z.boolean().nullish(),
  StdinOnce: z.boolean().nullish(),
  AttachStdin: z.boolean().nullish(),
  AttachStdout: z.boolean().nullish(),
  AttachStderr: z.boolean().nullish(),
  NetworkDisabled: z.boolean().nullish(),
  Env: z.array(text.regex(/^[^=]/, 'NAME=VALUE')).nullish(),
  Cmd: words,
  Entrypoint: words,
  WorkingDir: text.regex(/^$|^\//, 'an absolute path').nullish(),
  Labels: z.record(z.string(), text).nullish(),
  ExposedPorts: map,
  Volumes: map,
  StopSignal: text.nullish(),
  StopTimeout: count.nullish(),
  HostConfig: z
    .looseObject({
      Binds: texts,
      NetworkMode: text.nullish(),
      AutoRemove: z.boolean().nullish(),
      CapAdd: texts,
      CapDrop: texts,
      Memory: count.nonnegative().nullish(),
      MemorySwap: count.min(-1).nullish(),
      NanoCpus: count.nonnegative().nullish(),
      CpuShares: count.nonnegative().nullish(),
      CpuPeriod: count.nonnegative().nullish(),
      CpuQuota: count.min(-1).nullish(),
      PidsLimit: count.min(-1).nullish(),
      Privileged: z.boolean().nullish(),
      ReadonlyRootfs: z.boolean().nullish(),
      SecurityOpt: texts,
      Dns: addresses,
      DnsOptions: nameWords,
      DnsSearch: nameWords,
      ExtraHosts: hostLines,
      ConsoleSize: z.tuple([screenSide, screenSide]).nullish(),
      MaskedPaths: texts,
      ReadonlyPaths: texts,
      RestartPolicy: z.looseObject({ Name: text.nullish(), MaximumRetryCount: count.nullish() }).nullish(),
      LogConfig: z.looseObject({ Type: text.nullish(), Config: map }).nullish(),
    })
    .nullish(),
  NetworkingConfig: z.looseObject({ EndpointsConfig: map }).nullish(),
});

/** Fields that the engine acts on, or that say nothing on Linux. */
const known = new Set([
  ...Object.keys(configShape.shape),
  ...Object.keys(configShape.shape.HostConfig.unwrap().unwrap().shape).map((name) => `HostConfig.${name}`),
  'Domainname',
  'OnBuild',
  'Shell',
  'ArgsEscaped',
  'HostConfig.ContainerIDFile',
  'HostConfig.Isolation',
  // dockerode and testcontainers put the query's words into the body too.
  'name',
  'platform',
]);

/** Values that mean «as it is anyway» for fields that the engine doesn't act on yet. */
const harmless: Readonly<Record<string, readonly unknown[]>> = {
  'HostConfig.MemorySwappiness': [-1],
  'HostConfig.IpcMode': ['private', 'shareable'],
  'HostConfig.CgroupnsMode': ['host'],
  'HostConfig.ShmSize': [64 * 2 ** 20],
  'HostConfig.OomScoreAdj': [0],
};

const MIN_MEMORY = 6 * 2 ** 20;
/** A hundredth of a processor: the kernel's least quota, 1 ms, in a period of 100. */
const MIN_NANO_CPUS = 1e7;

/**
 * Checks the body of a create request and gives it back with `HostConfig` in place.
 * Throws `invalid` with the field and its value, `unsupported` for a field that would have to be ignored.
 */
export function readCreateBody(body: unknown): CreateContainerBody & { readonly HostConfig: HostConfig } {
  const parsed = configShape.safeParse(body);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const path = issue?.path.join('.') ?? '';
    throw new BerthError(
      'invalid',
      `invalid ${path || 'request body'}: ${JSON.stringify(valueAt(body, issue?.path ?? []))}: ${issue?.message}`,
    );
  }
  const config = parsed.data;
  const host = config.HostConfig ?? {};
  refuseIgnored(config, '');
  refuseIgnored(host, 'HostConfig.');
  if (host.Memory != null && host.Memory > 0 && host.Memory < MIN_MEMORY) {
    throw new BerthError('invalid', `invalid Memory ${host.Memory}: Minimum memory limit allowed is 6MB`);
  }
  if (
    host.Memory != null &&
    host.MemorySwap != null &&
    host.MemorySwap > 0 &&
    host.MemorySwap < host.Memory
  ) {
    throw new BerthError(
      'invalid',
      `invalid MemorySwap ${host.MemorySwap}: it is less than Memory ${host.Memory}`,
    );
  }
  if (host.MemorySwap != null && host.MemorySwap > 0 && !host.Memory) {
    throw new BerthError(
      'invalid',
      `invalid MemorySwap ${host.MemorySwap}: it counts Memory too, which is not limited`,
    );
  }
  if (host.NanoCpus != null && host.NanoCpus > 0 && host.NanoCpus < MIN_NANO_CPUS) {
    throw new BerthError(
      'invalid',
      `invalid NanoCpus ${host.NanoCpus}: at least ${MIN_NANO_CPUS}, which is 0.01 processors`,
    );
  }
  checkRestartPolicy(host as HostConfig);
  const logs = host.LogConfig?.Type ?? '';
  if (!['', 'json-file', 'local', 'k8s-file'].includes(logs) || !isEmpty(host.LogConfig?.Config)) {
    throw unsupported('HostConfig.LogConfig', host.LogConfig);
  }
  if (!isEmpty(config.Volumes)) throw unsupported('Volumes', config.Volumes);
  for (const option of host.SecurityOpt ?? []) {
    const plain = option.replace(':', '=');
    if (
      ![
        'no-new-privileges',
        'no-new-privileges=true',
        'no-new-privileges=false',
        'seccomp=unconfined',
        'apparmor=unconfined',
        'label=disable',
      ].includes(plain)
    ) {
      throw unsupported('HostConfig.SecurityOpt', option);
    }
  }
  for (const [name, endpoint] of Object.entries(config.NetworkingConfig?.EndpointsConfig ?? {})) {
    if (!isEmpty(endpoint)) throw unsupported(`NetworkingConfig.EndpointsConfig.${name}`, endpoint);
  }
  return { ...config, HostConfig: host } as CreateContainerBody & { readonly HostConfig: HostConfig };
}

/** A field is never silently ignored: one that the engine does not act on must be empty, or harmless. */
function refuseIgnored(part: Readonly<Record<string, unknown>>, prefix: string): void {
  for (const [name, value] of Object.entries(part)) {
    const path = `${prefix}${name}`;
    if (known.has(path) || isEmpty(value) || harmless[path]?.includes(value)) continue;
    throw unsupported(path, value);
  }
}

function unsupported(path: string, value: unknown): BerthError {
  return new BerthError('unsupported', `${path} is not supported: ${JSON.stringify(value).slice(0, 200)}`, {
    hint: 'leave it out',
  });
}

/** Null, zero, empty text, or a list or map of nothing else: how clients say that they don't say. */
function isEmpty(value: unknown): boolean {
  if (value === null || value === undefined || value === '' || value === 0 || value === false) return true;
  if (typeof value !== 'object') return false;
  return Object.values(value).every(isEmpty);
}

function valueAt(body: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) => (value as Record<PropertyKey, unknown> | undefined)?.[key],
    body,
  );
}
