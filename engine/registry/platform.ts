import { arch } from 'node:os';
import { BerthError } from '../api/errors.ts';
import type { Platform, PlatformDescriptor } from './manifest.ts';

const PART = /^[A-Za-z0-9_.-]+$/;
/** Other names of the same processor, as containerd's `platforms` normalizes them. */
const ARCHITECTURES: Readonly<Record<string, Platform>> = {
  x86_64: { os: '', architecture: 'amd64' },
  'x86-64': { os: '', architecture: 'amd64' },
  x64: { os: '', architecture: 'amd64' },
  i386: { os: '', architecture: '386' },
  ia32: { os: '', architecture: '386' },
  aarch64: { os: '', architecture: 'arm64' },
  armhf: { os: '', architecture: 'arm', variant: 'v7' },
  armel: { os: '', architecture: 'arm', variant: 'v6' },
};

/** The platform that this engine runs. */
export function hostPlatform(): Platform {
  const { arm_version: arm = '7' } = process.config.variables as { readonly arm_version?: string };
  const variant = arch() === 'arm' ? `v${arm}` : undefined;
  return normalize({ os: 'linux', architecture: arch(), ...(variant === undefined ? {} : { variant }) });
}

/** Reads `os/arch[/variant]`, or one of the two alone, as containerd's `platforms` does. Throws `invalid`. */
export function parsePlatform(text: string): Platform {
  const parts = text.split('/');
  const wrong = parts.length > 3 || !parts.every((part) => PART.test(part));
  const [first = '', second, variant] = parts;
  const known = ['linux', 'windows', 'darwin', 'freebsd'].includes(first.toLowerCase());
  if (wrong) {
    throw new BerthError('invalid', `invalid platform: '${text}'`, {
      hint: 'write it as os/arch or os/arch/variant, as in linux/arm64',
    });
  }
  if (second === undefined && known) return { ...hostPlatform(), os: first.toLowerCase() };
  const [os, architecture] = second === undefined ? ['linux', first] : [first, second];
  return normalize({ os: os.toLowerCase(), architecture, ...(variant === undefined ? {} : { variant }) });
}

function normalize(platform: Platform): Platform {
  const known = ARCHITECTURES[platform.architecture.toLowerCase()];
  const architecture = known?.architecture ?? platform.architecture.toLowerCase();
  const variant = (platform.variant ?? known?.variant)?.toLowerCase();
  // v8 is what arm64 means, v7 what arm does (containerd platforms, normalizeArch).
  if (variant === undefined || (architecture === 'arm64' && (variant === 'v8' || variant === '8'))) {
    return architecture === 'arm'
      ? { os: platform.os, architecture, variant: 'v7' }
      : { os: platform.os, architecture };
  }
  return { os: platform.os, architecture, variant: /^\d$/.test(variant) ? `v${variant}` : variant };
}

/** `linux/arm/v7`. */
export function formatPlatform({ os, architecture, variant }: Platform): string {
  return [os, architecture, ...(variant === undefined ? [] : [variant])].join('/');
}

/** How well an image's platform suits the one wanted: 0 not at all, else more is better. */
function suitability(offered: Platform, wanted: Platform): number {
  const image = normalize(offered);
  if (image.os !== wanted.os || image.architecture !== wanted.architecture) return 0;
  if (image.variant === wanted.variant) return 100;
  // A later arm runs what was made for an earlier one.
  const [have, need] = [wanted, image].map(({ variant = '' }) =>
    Number(/^v(\d)$/.exec(variant)?.[1] ?? Number.NaN),
  );
  if (image.architecture === 'arm' && have !== undefined && need !== undefined && need < have) return need;
  // amd64/v2 and the like: only the plain one is sure to run.
  return image.variant === undefined ? 1 : 0;
}

/** Whether an image made for `offered` is one for `wanted`. */
export function suits(offered: Platform, wanted: Platform): boolean {
  return suitability(offered, wanted) > 0;
}

/**
 * The entry of an index that suits a platform best; the first of equals (image-index.md).
 * Throws `notFound`, naming the platforms that there are.
 */
export function choosePlatform(
  entries: readonly PlatformDescriptor[],
  wanted: Platform,
  what: string,
): PlatformDescriptor {
  const ranked = entries
    .map((entry) => ({ entry, rank: entry.platform === undefined ? 0 : suitability(entry.platform, wanted) }))
    .filter(({ rank }) => rank > 0)
    .toSorted((a, b) => b.rank - a.rank);
  const best =
    ranked[0]?.entry ?? (entries.length === 1 && entries[0]?.platform === undefined ? entries[0] : undefined);
  if (best !== undefined) return best;
  // Build tools list their attestations as unknown/unknown.
  const offered = entries.flatMap(({ platform }) =>
    platform && platform.os !== 'unknown' ? [formatPlatform(platform)] : [],
  );
  throw new BerthError('notFound', `${what} has no image for ${formatPlatform(wanted)}`, {
    hint:
      offered.length > 0 ? `it has ${[...new Set(offered)].join(', ')}: choose with --platform` : undefined,
  });
}
