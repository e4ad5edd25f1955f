import { healthBody, healthFields } from './create/health.ts';
import { hostBody, hostFields } from './create/host.ts';
import {
  createLimitFields,
  createLimitsBody,
  limitFields,
  limitsBody,
  readRestart,
  restart,
} from './create/limits.ts';
import { mountFields, mountsBody } from './create/mounts.ts';
import { networkBody, networkFields } from './create/network.ts';
import { saidOnly } from './create/pairs.ts';
import { portFields, portsBody } from './create/ports.ts';
import { BerthError } from './errors.ts';
import { boolean, type Field, integer, list, string, type ValuesOf } from './fields.ts';
import { shared } from './operations.ts';
import type { CreateContainerBody } from './wire.ts';

/** What a container's name may be (Engine API, ContainerCreate). */
export const CONTAINER_NAME = /^\/?[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;

/** What runs, and as whom. */
const processFields = {
  name: string('Name for the container', {
    pattern: CONTAINER_NAME,
    patternSays: 'two or more letters, digits, dots, dashes and underscores, a letter or digit first',
    placeholder: 'NAME',
  }),
  env: list('Set an environment variable; NAME alone passes yours on', {
    short: 'e',
    placeholder: 'NAME=VALUE',
  }),
  workdir: string('Working directory inside the container', { short: 'w', placeholder: 'DIR' }),
  user: string('User and group, by name or number', { short: 'u', placeholder: 'USER[:GROUP]' }),
  entrypoint: string("Program to run instead of the image's entrypoint", { placeholder: 'PROGRAM' }),
  label: list('Set a label', { short: 'l', placeholder: 'NAME=VALUE' }),
  interactive: boolean('Keep standard input open', { short: 'i' }),
  tty: boolean('Give it a terminal', { short: 't' }),
  rm: boolean('Remove the container when it ends'),
  restart,
  stopSignal: string('Signal that stops it', { placeholder: 'SIGNAL' }),
  // Negative: it is waited for without an end, as docker's clients say it.
  stopTimeout: integer('Seconds between stop signal and kill; -1 for no kill', { placeholder: 'SECONDS' }),
  platform: shared.platform,
} as const satisfies Record<string, Field>;

/**
 * What can be said of a new container, in the words of `berth run`. Flags, MCP parameters and reference come
 * from here; `createBody` writes the values into the Engine API's body. See docs/decisions/0002-one-definition.md.
 */
export const createFields = {
  ...processFields,
  ...limitFields,
  ...createLimitFields,
  ...networkFields,
  ...portFields,
  ...mountFields,
  ...hostFields,
  ...healthFields,
} as const satisfies Record<string, Field>;

export type CreateOptions = ValuesOf<typeof createFields>;

/** The body of `POST /containers/create` for an image, a command and the options given. Throws `invalid`. */
export function createBody(
  image: string,
  command: readonly string[],
  options: CreateOptions,
): CreateContainerBody {
  const { env, label, interactive = false, tty = false } = options;
  const network = networkBody(options);
  const ports = portsBody(options);
  const mounts = mountsBody(options);
  return {
    Image: image,
    Cmd: command.length === 0 ? null : command,
    Entrypoint:
      options.entrypoint === undefined ? null : options.entrypoint === '' ? [''] : [options.entrypoint],
    Env: env ?? [],
    Labels: Object.fromEntries((label ?? []).map(splitLabel)),
    WorkingDir: options.workdir ?? '',
    User: options.user ?? '',
    Tty: tty,
    OpenStdin: interactive,
    StdinOnce: interactive,
    ...network.config,
    ...ports.config,
    ...saidOnly({
      StopSignal: options.stopSignal,
      StopTimeout: options.stopTimeout,
      Volumes: mounts.volumes,
      Healthcheck: healthBody(options),
    }),
    HostConfig: {
      AutoRemove: options.rm ?? false,
      ...saidOnly({
        RestartPolicy: readRestart(options.restart ?? 'no'),
      }),
      Memory: 0,
      NanoCpus: 0,
      PidsLimit: null,
      ...limitsBody(options),
      ...createLimitsBody(options),
      ...network.host,
      ...ports.host,
      ...mounts.host,
      ...hostBody(options),
    },
  } as CreateContainerBody;
}

function splitLabel(text: string): readonly [string, string] {
  const equals = text.indexOf('=');
  const name = equals < 0 ? text : text.slice(0, equals);
  if (name === '')
    throw new BerthError('invalid', `invalid label '${text}': it has no name`, { hint: 'write NAME=VALUE' });
  return [name, equals < 0 ? '' : text.slice(equals + 1)];
}
