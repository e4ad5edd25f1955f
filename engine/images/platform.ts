import { BerthError } from '../api/errors.ts';
import type { Platform } from '../registry/manifest.ts';
import { formatPlatform, parsePlatform, suits } from '../registry/platform.ts';
import type { ImageConfig } from './config.ts';

/**
 * The platform that somebody asks for: `linux/arm64`, or as clients from version 1.48 of the API on send it, JSON:
 * `{"os":"linux","architecture":"arm64"}`. Undefined where none is given. Throws `invalid`.
 */
export function wantedPlatform(given: string | undefined): Platform | undefined {
  if (given === undefined || given === '') return undefined;
  return parsePlatform(given.trim().startsWith('{') ? textOf(given) : given);
}

function textOf(json: string): string {
  const wrong = () =>
    new BerthError('invalid', `invalid platform: '${json.slice(0, 200)}'`, {
      hint: 'write it as os/arch, or as {"os":"linux","architecture":"arm64"}',
    });
  let value: Record<string, unknown>;
  try {
    value = JSON.parse(json) as Record<string, unknown>;
  } catch {
    throw wrong();
  }
  const { os, architecture, variant } = value ?? {};
  const parts = [os, architecture, ...(variant ? [variant] : [])];
  if (!parts.every((part) => typeof part === 'string' && part !== '' && !part.includes('/'))) throw wrong();
  return parts.join('/');
}

/** The platform that an image is for. */
export function platformOf({
  os,
  architecture,
  variant,
}: Pick<Platform, 'os' | 'architecture'> & { readonly variant?: string | undefined }): Platform {
  return { os, architecture, ...(variant === undefined ? {} : { variant }) };
}

/** Throws `notFound`, naming both, where an image is not for the platform wanted. `name` is how it was asked for. */
export function requirePlatform(
  config: ImageConfig,
  { wanted, name }: { readonly wanted: Platform | undefined; readonly name: string },
): void {
  const own = platformOf(config);
  if (wanted === undefined || suits(own, wanted)) return;
  throw new BerthError('notFound', `${name} has no image for ${formatPlatform(wanted)}`, {
    hint: `it has ${formatPlatform(own)}: choose with --platform`,
  });
}
