import { randomBytes } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { BerthError } from '../api/errors.ts';
import type { ContainerConfig, CreateContainerBody } from '../api/wire.ts';
import type { StoredImage } from '../images/types.ts';
import { chooseCapabilities } from '../runtime/capabilities.ts';
import { parseBinds } from './binds.ts';
import { readCreateBody } from './body.ts';
import { type Context, pathsOf } from './context.ts';
import { inventName } from './names.ts';
import { type ContainerRecord, nameInUse } from './record.ts';
import { readContainerName } from './rename.ts';
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
): Promise<ContainerRecord> {
  const request = readCreateBody(body);
  const wantedName = readName(context, options.name);
  const image = context.images.resolve(request.Image ?? '');
  requirePlatform(image, options.platform);
  const id = randomBytes(32).toString('hex');
  const { HostConfig: hostConfig, NetworkingConfig: _networking, ...given } = request;
  const config = mergeConfig(given, image.config, id);
  const command = [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])];
  if (command.length === 0 || command[0] === '') {
    throw new BerthError('invalid', 'no command specified', {
      hint: `name a program after ${request.Image}`,
    });
  }
  // Checked now, so that a start doesn't fail on what a create could have refused.
  chooseCapabilities({ add: hostConfig.CapAdd, drop: hostConfig.CapDrop, privileged: hostConfig.Privileged });
  parseBinds(hostConfig.Binds ?? []);
  if (config.StopSignal) parseSignal(config.StopSignal);
  const networkMode =
    given.NetworkDisabled === true ? 'none' : context.networks.modeOf(hostConfig.NetworkMode ?? '');

  const paths = pathsOf(context, id);
  await mkdir(paths.root, { recursive: true, mode: 0o710 });
  try {
    await writeFile(paths.log, '', { mode: 0o640 });
    const record = context.store.add({
      id,
      // Invented only now: while the directory was made, another create may have taken the same one.
      name: wantedName ?? inventName((name) => context.store.byName(name) !== undefined),
      imageId: image.id,
      imageName: request.Image ?? '',
      createdAt: new Date().toISOString(),
      config,
      hostConfig: { ...hostConfig, NetworkMode: networkMode },
    });
    context.record(record, 'create');
    return record;
  } catch (error) {
    await rm(paths.root, { recursive: true, force: true });
    throw error;
  }
}

/** The name that was asked for, without its slash; undefined where none was. Throws `invalid`, `conflict`. */
function readName(context: Context, given: string | undefined): string | undefined {
  if (given === undefined || given === '') return undefined;
  const name = readContainerName(given);
  const owner = context.store.byName(name);
  if (owner !== undefined) throw nameInUse(name, owner.id);
  return name;
}

function requirePlatform(image: StoredImage, platform: string | undefined): void {
  if (platform === undefined || platform === '') return;
  const [os, architecture] = platform.split('/');
  if (os === image.os && (architecture === undefined || architecture === image.architecture)) return;
  throw new BerthError(
    'notFound',
    `the image is for ${image.os}/${image.architecture}, not for the platform (${platform}) that was asked for`,
    { hint: `berth pull --platform ${platform} IMAGE` },
  );
}

/** The user's config over the image's: lists of words are replaced, maps and environments merged (Engine API, ContainerCreate). */
function mergeConfig(
  given: Omit<CreateContainerBody, 'HostConfig' | 'NetworkingConfig'>,
  image: ContainerConfig,
  id: string,
): ContainerConfig {
  const ownEntrypoint = given.Entrypoint != null && given.Entrypoint.length > 0;
  const entrypoint = ownEntrypoint ? given.Entrypoint : image.Entrypoint;
  const command = given.Cmd != null && given.Cmd.length > 0 ? given.Cmd : ownEntrypoint ? null : image.Cmd;
  const { Volumes: _volumes, ...rest } = given;
  return {
    ...rest,
    Hostname: given.Hostname || id.slice(0, SHORT_ID),
    Domainname: given.Domainname ?? '',
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
    Volumes: null,
    OnBuild: null,
    ...(given.StopSignal || image.StopSignal ? { StopSignal: given.StopSignal || image.StopSignal } : {}),
    ...(given.StopTimeout == null ? {} : { StopTimeout: given.StopTimeout }),
  };
}

function mergeEnvironment(image: readonly string[], given: readonly string[]): readonly string[] {
  const nameOf = (entry: string) => entry.split('=', 1)[0] ?? '';
  const own = new Set(given.map(nameOf));
  return [...given, ...image.filter((entry) => !own.has(nameOf(entry)))];
}
