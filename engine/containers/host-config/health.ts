import { z } from 'zod';
import { BerthError } from '../../api/errors.ts';
import type { HealthConfig } from '../../api/wire/host-config.ts';
import { count, texts } from './shape.ts';

export const healthShape = z
  .strictObject({
    Test: texts,
    Interval: count.nullish(),
    Timeout: count.nullish(),
    StartPeriod: count.nullish(),
    StartInterval: count.nullish(),
    Retries: count.nullish(),
  })
  .nullish();

const MIN_NANOSECONDS = 1_000_000;
const spans = ['Interval', 'Timeout', 'StartPeriod', 'StartInterval'] as const;

/** Checks a health check as dockerd does. Throws `invalid`. */
export function checkHealth(health: HealthConfig | null | undefined): void {
  if (health == null) return;
  for (const name of spans) {
    const value = health[name] ?? 0;
    if (value !== 0 && value < MIN_NANOSECONDS)
      throw new BerthError('invalid', `${name} in Healthcheck cannot be less than 1ms: ${value} ns`);
  }
  if ((health.Retries ?? 0) < 0)
    throw new BerthError('invalid', `Retries in Healthcheck cannot be negative: ${health.Retries}`);
  const [kind, ...words] = health.Test ?? [];
  if (kind === undefined || kind === '' || kind === 'NONE') return;
  if (kind !== 'CMD' && kind !== 'CMD-SHELL') {
    throw new BerthError('invalid', `invalid Healthcheck.Test: it begins with '${kind}'`, {
      hint: 'begin it with NONE, CMD or CMD-SHELL',
    });
  }
  if (words.length === 0) throw new BerthError('invalid', `Healthcheck.Test has no command after ${kind}`);
}

/** The user's health check over the image's: what the user leaves out is the image's (Engine API, HealthConfig). */
export function mergeHealth(
  given: HealthConfig | null | undefined,
  image: HealthConfig | null | undefined,
): HealthConfig | undefined {
  if (given == null) return image ?? undefined;
  if (image == null) return given;
  return {
    ...given,
    Test: given.Test?.length ? given.Test : (image.Test ?? []),
    ...Object.fromEntries(
      [...spans, 'Retries' as const].map((name) => [name, given[name] || image[name] || 0]),
    ),
  };
}
