import { createHash } from 'node:crypto';
import { type Digest, wrongDigest } from '../api/digest.ts';
import { BerthError } from '../api/errors.ts';
import { familiarName, familiarReference, parseReference } from '../api/reference.ts';
import type { DistributionInspect } from '../api/wire/registry.ts';
import type { Credentials } from './auth.ts';
import { type Descriptor, type Platform, parseJson } from './manifest.ts';
import { openRepository, type Repository } from './repository.ts';
import type { RegistryLimits, RegistrySettings } from './settings.ts';

export type DescribeRequest = {
  /** As it was typed. */
  readonly name: string;
  /** Whether the manifest is given too. */
  readonly manifest?: boolean | undefined;
  readonly credentials: Credentials | undefined;
  readonly signal: AbortSignal;
};

/** Far more than any config has. */
const MAX_CONFIG_BYTES = 8 * 2 ** 20;

/**
 * What a registry has under a name: digest, size, type, and the platforms that it is for. An image by itself says that
 * in its config, an index in its entries. Throws as `Repository.fetchManifest` does.
 */
export async function describe(
  known: { readonly settings: RegistrySettings; readonly limits: RegistryLimits },
  { name: typed, manifest: wantsManifest, credentials, signal }: DescribeRequest,
): Promise<DistributionInspect> {
  const reference = parseReference(typed);
  const { domain, path } = reference;
  const name = familiarName(reference);
  const repository = openRepository({ ...known, domain, path, name, credentials });
  const target = reference.digest ?? reference.tag ?? 'latest';
  const { bytes, digest, manifest } = await repository.fetchManifest(target, signal);
  const platforms =
    manifest.kind === 'index'
      ? manifest.manifests.flatMap(({ platform }) => platform ?? [])
      : [
          await platformIn(repository, {
            config: manifest.config,
            what: `the config of ${familiarReference(reference)}`,
            signal,
          }),
        ];
  return {
    Descriptor: { mediaType: manifest.mediaType, digest, size: bytes.length },
    Platforms: platforms.map(({ architecture, os, variant }) => ({
      architecture,
      os,
      ...(variant === undefined ? {} : { variant }),
    })),
    ...(wantsManifest === true ? { Manifest: bytes.toString() } : {}),
  };
}

async function platformIn(
  repository: Repository,
  {
    config,
    what,
    signal,
  }: { readonly config: Descriptor; readonly what: string; readonly signal: AbortSignal },
): Promise<Platform> {
  if (config.sizeBytes > MAX_CONFIG_BYTES)
    throw new BerthError(
      'invalid',
      `${what} has ${config.sizeBytes} bytes; at most ${MAX_CONFIG_BYTES} are read`,
    );
  const pieces: Buffer[] = [];
  for await (const piece of repository.streamBlob(config, signal)) pieces.push(piece);
  const bytes = Buffer.concat(pieces);
  const actual: Digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  if (actual !== config.digest) throw wrongDigest(what, config.digest, actual);
  const { os, architecture, variant } = parseJson(bytes, what);
  if (typeof os !== 'string' || typeof architecture !== 'string')
    throw new BerthError('invalid', `${what} says no platform`);
  return { os, architecture, ...(typeof variant === 'string' && variant !== '' ? { variant } : {}) };
}
