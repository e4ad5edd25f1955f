import { BerthError } from './errors.ts';
import { boolean, cpus, type Field, integer, list, size, string, type ValuesOf } from './fields.ts';
import { shared } from './operations.ts';
import type { CreateContainerBody } from './wire.ts';

/** What a container's name may be (Engine API, ContainerCreate). */
export const CONTAINER_NAME = /^\/?[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;

/**
 * What can be said of a new container, in the words of `berth run`. Flags, MCP parameters and reference come
 * from here; `createBody` writes the values into the Engine API's body. See docs/decisions/0002-one-definition.md.
 */
export const createFields = {
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
  hostname: string('Host name of the container', { short: 'h', placeholder: 'NAME' }),
  label: list('Set a label', { short: 'l', placeholder: 'NAME=VALUE' }),
  interactive: boolean('Keep standard input open', { short: 'i' }),
  tty: boolean('Give it a terminal', { short: 't' }),
  rm: boolean('Remove the container when it ends'),
  memory: size('Most memory it may use, as in 512m', { short: 'm', min: 6 * 2 ** 20, placeholder: 'SIZE' }),
  cpus: cpus('Most processors it may use, as in 1.5', { min: 0.01, placeholder: 'N' }),
  pidsLimit: integer('Most processes it may have; -1 for no limit', { min: -1, placeholder: 'N' }),
  network: string('Network: bridge, none or host', { placeholder: 'NETWORK' }),
  volume: list('Bind a directory of the host', { short: 'v', placeholder: 'HOST:CONTAINER[:ro]' }),
  capAdd: list('Add a capability', { placeholder: 'CAPABILITY' }),
  capDrop: list('Drop a capability, or ALL', { placeholder: 'CAPABILITY' }),
  securityOpt: list('Security option: no-new-privileges, seccomp=unconfined', { placeholder: 'OPTION' }),
  privileged: boolean('Give it all capabilities and devices that the engine has'),
  readOnly: boolean('Make its root file system read-only'),
  dns: list('Address of a name server', { placeholder: 'ADDRESS' }),
  addHost: list('Add a line to /etc/hosts', { placeholder: 'NAME:ADDRESS' }),
  stopSignal: string('Signal that stops it', { placeholder: 'SIGNAL' }),
  stopTimeout: integer('Seconds between stop signal and kill', { min: 0, placeholder: 'SECONDS' }),
  platform: shared.platform,
} as const satisfies Record<string, Field>;

export type CreateOptions = ValuesOf<typeof createFields>;

/** The body of `POST /containers/create` for an image, a command and the options given. Throws `invalid`. */
export function createBody(
  image: string,
  command: readonly string[],
  options: CreateOptions,
): CreateContainerBody {
  const { env, label, interactive = false, tty = false } = options;
  return {
    Image: image,
    Cmd: command.length === 0 ? null : command,
    Entrypoint:
      options.entrypoint === undefined ? null : options.entrypoint === '' ? [''] : [options.entrypoint],
    Env: env ?? [],
    Labels: Object.fromEntries((label ?? []).map(splitLabel)),
    WorkingDir: options.workdir ?? '',
    User: options.user ?? '',
    Hostname: options.hostname ?? '',
    Tty: tty,
    OpenStdin: interactive,
    StdinOnce: interactive,
    ...(options.stopSignal === undefined ? {} : { StopSignal: options.stopSignal }),
    ...(options.stopTimeout === undefined ? {} : { StopTimeout: options.stopTimeout }),
    HostConfig: {
      NetworkMode: options.network ?? 'default',
      AutoRemove: options.rm ?? false,
      Memory: options.memory ?? 0,
      NanoCpus: Math.round((options.cpus ?? 0) * 1e9),
      PidsLimit: options.pidsLimit ?? null,
      Binds: options.volume ?? null,
      CapAdd: options.capAdd ?? null,
      CapDrop: options.capDrop ?? null,
      SecurityOpt: options.securityOpt ?? null,
      Privileged: options.privileged ?? false,
      ReadonlyRootfs: options.readOnly ?? false,
      Dns: options.dns ?? [],
      ExtraHosts: options.addHost ?? null,
    },
  };
}

function splitLabel(text: string): readonly [string, string] {
  const equals = text.indexOf('=');
  const name = equals < 0 ? text : text.slice(0, equals);
  if (name === '')
    throw new BerthError('invalid', `invalid label '${text}': it has no name`, { hint: 'write NAME=VALUE' });
  return [name, equals < 0 ? '' : text.slice(equals + 1)];
}
