import { z } from 'zod';
import { BerthError } from '../api/errors.ts';
import type { CreateContainerBody, HostConfig } from '../api/wire.ts';
import { checkSecurity } from '../runtime/security.ts';
import { checkDriver } from '../volumes/names.ts';
import { checkHealth, healthShape } from './host-config/health.ts';
import { checkKernelSettings } from './host-config/kernel.ts';
import { checkLogConfig } from './host-config/logging.ts';
import { checkModes } from './host-config/modes.ts';
import { count, hostConfigShape, map, text, texts } from './host-config/shape.ts';
import { checkPorts } from './ports.ts';
import { checkRestartPolicy } from './restart-policy.ts';

// Old clients send a string where a list of one is meant.
const words = z.preprocess((value) => (typeof value === 'string' ? [value] : value), texts);
const macAddress = text.regex(/^$|^([0-9a-fA-F]{2}[:-]){5}[0-9a-fA-F]{2}$/, 'a MAC address').nullish();

/** What a client says of an endpoint. What else stands there is what an engine answered: clients send it back. */
export const endpointShape = z.looseObject({
  IPAMConfig: z
    .looseObject({ IPv4Address: text.nullish(), IPv6Address: text.nullish(), LinkLocalIPs: texts })
    .nullish(),
  Links: texts,
  Aliases: texts,
  MacAddress: macAddress,
  DriverOpts: z.record(z.string(), text).nullish(),
});

/** What is read of the body; everything else of it is checked by name below. */
const configShape = z.looseObject({
  Image: text.min(1),
  Hostname: text
    .max(63)
    .regex(/^$|^[a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?$/)
    .nullish(),
  Domainname: text.max(64).regex(/^\S*$/, 'a name without spaces').nullish(),
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
  ExposedPorts: z
    .record(z.string().regex(/^\d{1,5}(-\d{1,5})?(\/(tcp|udp|sctp))?$/i, 'PORT/PROTOCOL'), z.unknown())
    .nullish(),
  Volumes: map,
  StopSignal: text.nullish(),
  StopTimeout: count.nullish(),
  MacAddress: macAddress,
  Healthcheck: healthShape,
  Shell: texts,
  HostConfig: hostConfigShape.nullish(),
  NetworkingConfig: z
    .looseObject({
      EndpointsConfig: z.record(z.string(), endpointShape.nullable()).nullish(),
    })
    .nullish(),
});

/** Fields that the engine acts on, or that say nothing on Linux. */
const known = new Set([
  ...Object.keys(configShape.shape),
  ...Object.keys(hostConfigShape.shape).map((name) => `HostConfig.${name}`),
  'OnBuild',
  'ArgsEscaped',
  'HostConfig.ContainerIDFile',
  // dockerode and testcontainers put the query's words into the body too.
  'name',
  'platform',
]);

/** A body that was checked. */
export type CreateRequest = CreateContainerBody & { readonly HostConfig: HostConfig };

/**
 * Checks the body of a create request and gives it back with `HostConfig` in place. What depends on the machine or on
 * other containers is not looked at here.
 * Throws `invalid` with the field and its value, `unsupported` for a field that would have to be ignored.
 */
export function readCreateBody(body: unknown): CreateRequest {
  const config = parseOrThrow(configShape, body);
  const host = (config.HostConfig ?? {}) as HostConfig;
  refuseUnknown(config, '', known);
  refuseUnknown(host, 'HostConfig.', known);
  checkDriver(host.VolumeDriver as string | undefined);
  checkRestartPolicy(host);
  checkLogConfig(host.LogConfig);
  checkSecurity(host);
  checkKernelSettings(host);
  checkModes(config as CreateContainerBody, host);
  checkPorts(config as CreateContainerBody, host);
  checkHealth(config.Healthcheck as CreateContainerBody['Healthcheck']);
  if (!['', 'default'].includes((host.Isolation as string | null | undefined) ?? '')) {
    throw new BerthError(
      'invalid',
      `Invalid isolation: ${JSON.stringify(host.Isolation)} - linux only supports 'default'`,
    );
  }
  if ((host.CgroupParent ?? '').split('/').includes('..'))
    throw new BerthError('invalid', `invalid CgroupParent: '${host.CgroupParent}' leads upwards`);
  if (Object.keys(host.Annotations ?? {}).includes(''))
    throw new BerthError('invalid', 'invalid Annotations: the empty string is not permitted as a key');
  return { ...config, HostConfig: host } as CreateRequest;
}

/** Reads a body of that shape. Throws `invalid` with the field and its value. */
export function parseOrThrow<T>(shape: z.ZodType<T>, body: unknown): T {
  const parsed = shape.safeParse(body);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const path = issue?.path.join('.') ?? '';
  throw new BerthError(
    'invalid',
    `invalid ${path || 'request body'}: ${JSON.stringify(valueAt(body, issue?.path ?? []))}: ${issue?.message}`,
  );
}

/** A field is never silently ignored: one that the engine does not act on must be empty, or harmless. */
export function refuseUnknown(
  part: Readonly<Record<string, unknown>>,
  prefix: string,
  acted: ReadonlySet<string>,
  unharmful: Readonly<Record<string, readonly unknown[]>> = {},
): void {
  for (const [name, value] of Object.entries(part)) {
    const path = `${prefix}${name}`;
    if (acted.has(path) || isEmpty(value) || unharmful[path]?.includes(value)) continue;
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
