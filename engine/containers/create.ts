import { randomBytes } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { hostname as machineName } from 'node:os';
import { BerthError } from '../api/errors.ts';
import type { ContainerConfig, CreateContainerBody, HostConfig } from '../api/wire.ts';
import { platformOf, wantedPlatform } from '../images/platform.ts';
import type { StoredImage } from '../images/types.ts';
import { formatPlatform, suits } from '../registry/platform.ts';
import { type CreateRequest, readCreateBody } from './body.ts';
import { type Context, pathsOf } from './context.ts';
import { endpointWishes } from './endpoint-wishes.ts';
import { fillHostConfig } from './host-config/fill.ts';
import { mergeHealth } from './host-config/health.ts';
import { checkLimits } from './host-config/limits.ts';
import { settleLinks } from './links.ts';
import { settleMounts } from './mounts/settle.ts';
import { fillVolumes, wishesOf } from './mounts/volumes.ts';
import { inventName } from './names.ts';
import { portWarnings } from './ports.ts';
import { type ContainerRecord, nameInUse } from './record.ts';
import { readContainerName } from './rename.ts';
import { donorOf, mustBeThere, settleDonors } from './sharing.ts';
import { parseSignal } from './signals.ts';

/** Length of a container's host name where none is given: its short id. */
const SHORT_ID = 12;

/**
 * Step 2 of a run: a row and the container's directory, and nothing that needs the kernel. See `Containers.create`
 * for what it throws; a create that throws leaves nothing.
 */
export async function createContainer(
  context: Context,
  body: CreateContainerBody,
  options: { readonly name?: string | undefined; readonly platform?: string | undefined },
): Promise<{ readonly record: ContainerRecord; readonly warnings: readonly string[] }> {
  const request = readCreateBody(body);
  const wantedName = readName(context, options.name);
  const image = context.images.resolve(request.Image ?? '');
  requirePlatform(image, options.platform);
  const id = randomBytes(32).toString('hex');
  const { HostConfig: asked, NetworkingConfig: networking, ...given } = request;
  const { limits, warnings } = checkLimits(asked, context.machine);
  const hostConfig = settleHostConfig(context, request, limits);
  const config = mergeConfig(given, image.config, identityOf(context, request, hostConfig, id));
  const mounts = settleMounts(
    hostConfig,
    Object.keys(config.Volumes ?? {}),
    (name) => mustBeThere(() => context.store.find(name)).mounts,
  );
  const command = [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])];
  if (command.length === 0 || command[0] === '') {
    throw new BerthError('invalid', 'no command specified', {
      hint: `name a program after ${request.Image}`,
    });
  }
  if (config.StopSignal) parseSignal(config.StopSignal);

  const wishes = mustBeThere(() =>
    endpointWishes(context.networks, {
      mode: hostConfig.NetworkMode ?? '',
      endpoints: networking?.EndpointsConfig ?? {},
      mac: request.MacAddress || undefined,
      links: asked.Links ?? [],
    }),
  );
  await using claim = await context.volumes.claim(wishesOf(mounts));
  const paths = pathsOf(context, id);
  await mkdir(paths.root, { recursive: true, mode: 0o710 });
  try {
    await writeFile(paths.log, '', { mode: 0o640 });
    await fillVolumes(context, { id, imageId: image.id, mounts });
    context.networks.attach(id, wishes);
    const record = context.store.add({
      id,
      // Invented only now: while the directory was made, another create may have taken the same one.
      name: wantedName ?? inventName((name) => context.store.byName(name) !== undefined),
      imageId: image.id,
      imageName: request.Image ?? '',
      createdAt: new Date().toISOString(),
      config,
      hostConfig,
      mounts,
      also: () => claim.keep(),
    });
    context.record(record, 'create');
    return { record, warnings: [...warnings, ...portWarnings(hostConfig)] };
  } catch (error) {
    context.networks.forget(id);
    await rm(paths.root, { recursive: true, force: true });
    throw error;
  }
}

/** The HostConfig as it is kept: filled in, and with ids for the names of other containers. */
function settleHostConfig(context: Context, request: CreateRequest, limits: HostConfig): HostConfig {
  const { cgroups, runtime, store, networks } = context;
  const host = settleDonors(store, fillHostConfig(limits, { cgroups, runtime: runtime.name }));
  const mode = request.NetworkDisabled === true ? 'none' : (host.NetworkMode ?? '');
  if (mode.startsWith('container:')) return { ...host, NetworkMode: mode, Links: null };
  const network = mustBeThere(() => networks.named(mode));
  return {
    ...host,
    NetworkMode: network.builtin ? network.name : mode,
    // On a network of a user's they are names for its DNS server alone.
    Links: (network.builtin ? settleLinks(store, host) : undefined) ?? null,
  };
}

/** A container's host name where the client gives none: its short id, that of the network it joins, or the host's. */
function identityOf(context: Context, request: CreateRequest, host: HostConfig, id: string) {
  const donor = donorOf(context.store, host, 'NetworkMode');
  if (donor !== undefined) {
    const { Hostname: hostname = '', Domainname: domainname = '' } = donor.config;
    return { hostname, domainname };
  }
  const named = host.NetworkMode === 'host' ? machineName() : id.slice(0, SHORT_ID);
  return { hostname: request.Hostname || named, domainname: request.Domainname ?? '' };
}

/** The name that was asked for, without its slash; undefined where none was. Throws `invalid`, `conflict`. */
function readName(context: Context, given: string | undefined): string | undefined {
  if (given === undefined || given === '') return undefined;
  const name = readContainerName(given);
  const owner = context.store.byName(name);
  if (owner !== undefined) throw nameInUse(name, owner.id);
  return name;
}

/** Throws `notFound` where the image is for another platform, so that a client may pull the right one. */
function requirePlatform(image: StoredImage, given: string | undefined): void {
  const wanted = wantedPlatform(given);
  const own = platformOf(image);
  if (wanted === undefined || suits(own, wanted)) return;
  const text = formatPlatform(wanted);
  throw new BerthError(
    'notFound',
    `the image is for ${formatPlatform(own)}, not for the platform (${text}) that was asked for`,
    { hint: `berth pull --platform ${text} IMAGE` },
  );
}

/** The user's config over the image's: lists of words are replaced, maps and environments merged (Engine API, ContainerCreate). */
function mergeConfig(
  given: Omit<CreateContainerBody, 'HostConfig' | 'NetworkingConfig'>,
  image: ContainerConfig,
  identity: { readonly hostname: string; readonly domainname: string },
): ContainerConfig {
  const ownEntrypoint = given.Entrypoint != null && given.Entrypoint.length > 0;
  const entrypoint = ownEntrypoint ? given.Entrypoint : image.Entrypoint;
  const command = given.Cmd != null && given.Cmd.length > 0 ? given.Cmd : ownEntrypoint ? null : image.Cmd;
  const { Healthcheck: _health, ...rest } = given;
  const health = mergeHealth(given.Healthcheck, image.Healthcheck);
  const shell = given.Shell?.length ? given.Shell : image.Shell;
  return {
    ...rest,
    Hostname: identity.hostname,
    Domainname: identity.domainname,
    User: given.User || image.User || '',
    AttachStdin: given.AttachStdin ?? false,
    AttachStdout: given.AttachStdout ?? false,
    AttachStderr: given.AttachStderr ?? false,
    Tty: given.Tty ?? false,
    OpenStdin: given.OpenStdin ?? false,
    StdinOnce: given.StdinOnce ?? false,
    Env: mergeEnvironment(image.Env ?? [], given.Env ?? []),
    Cmd: command ?? null,
    // [''] is how a client says «no entrypoint».
    Entrypoint: entrypoint?.length === 1 && entrypoint[0] === '' ? null : (entrypoint ?? null),
    WorkingDir: given.WorkingDir || image.WorkingDir || '',
    Labels: { ...image.Labels, ...given.Labels },
    ...(image.ExposedPorts || given.ExposedPorts
      ? { ExposedPorts: { ...image.ExposedPorts, ...given.ExposedPorts } }
      : {}),
    Volumes: given.Volumes || image.Volumes ? { ...image.Volumes, ...given.Volumes } : null,
    OnBuild: given.OnBuild ?? null,
    ...(given.StopSignal || image.StopSignal ? { StopSignal: given.StopSignal || image.StopSignal } : {}),
    ...(given.StopTimeout == null ? {} : { StopTimeout: given.StopTimeout }),
    ...(health === undefined ? {} : { Healthcheck: health }),
    ...(shell?.length ? { Shell: shell } : {}),
  };
}

function mergeEnvironment(image: readonly string[], given: readonly string[]): readonly string[] {
  const nameOf = (entry: string) => entry.split('=', 1)[0] ?? '';
  const own = new Set(given.map(nameOf));
  return [...given, ...image.filter((entry) => !own.has(nameOf(entry)))];
}
