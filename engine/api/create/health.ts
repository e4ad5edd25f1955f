import { parseDuration } from '../duration.ts';
import { BerthError } from '../errors.ts';
import { boolean, type Field, integer, string, type ValuesOf } from '../fields.ts';
import type { HealthConfig } from '../wire/host-config.ts';
import { saidOnly, wrongValue } from './pairs.ts';

const time = { placeholder: 'TIME' };

/** How its health is looked at. */
export const healthFields = {
  healthCmd: string('Command for the shell that finds out whether it is healthy', { placeholder: 'COMMAND' }),
  healthInterval: string('Time between two checks, as in 30s', time),
  healthRetries: integer('Failures in a row that make it unhealthy', { min: 0, placeholder: 'N' }),
  healthStartInterval: string('Time between two checks while it starts', time),
  healthStartPeriod: string('Time it may take to start, when failures do not count', time),
  healthTimeout: string('Longest time that a check may take', time),
  noHealthcheck: boolean("Run no health check, not the image's either"),
} as const satisfies Record<string, Field>;

/** The health check as the Engine API has it; undefined where nothing was said of it. Throws `invalid`. */
export function healthBody(options: ValuesOf<typeof healthFields>): HealthConfig | undefined {
  const { healthCmd, healthRetries } = options;
  const spans = saidOnly({
    Interval: nanoseconds('health-interval', options.healthInterval),
    Timeout: nanoseconds('health-timeout', options.healthTimeout),
    StartPeriod: nanoseconds('health-start-period', options.healthStartPeriod),
    StartInterval: nanoseconds('health-start-interval', options.healthStartInterval),
  });
  const said = Object.keys(spans).length > 0 || healthCmd !== undefined || healthRetries !== undefined;
  if (options.noHealthcheck === true) {
    if (said) throw new BerthError('invalid', '--no-healthcheck conflicts with --health-* options');
    return { Test: ['NONE'] };
  }
  if (!said) return undefined;
  return saidOnly({
    Test: healthCmd ? ['CMD-SHELL', healthCmd] : undefined,
    ...spans,
    Retries: healthRetries,
  }) as HealthConfig;
}

function nanoseconds(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = parseDuration(text);
  if (value === undefined || value < 0) throw wrongValue(flag, text, 'a time as in 1m30s');
  return value;
}
