import { BerthError, type ErrorCode } from '../engine/api/errors.ts';
import { flagName } from '../engine/api/fields.ts';
import type { Flag, Flags } from './command.ts';

/**
 * A flag that docker has and no engine here can serve: known, so that it is refused by name. Help leaves it out.
 * `accepts` is the value that changes nothing; for a boolean, `false` where no other is given.
 */
export function refused(flag: Flag, why: string, hint?: string, accepts?: unknown): Flag {
  return {
    ...flag,
    refused: { why, hint, accepts: accepts ?? (flag.type === 'boolean' ? false : undefined) },
  };
}

/** Throws `unsupported`, or another code, for a flag that was given and is refused. */
export function refuseFlags(
  flags: Flags,
  typed: Readonly<Record<string, unknown>>,
  code: ErrorCode = 'unsupported',
): void {
  for (const [key, flag] of Object.entries(flags)) {
    const value = typed[key];
    if (flag.refused === undefined || value === undefined || value === flag.refused.accepts) continue;
    const { why, hint } = flag.refused;
    throw new BerthError(code, `--${flagName(key)} is not supported: ${why}`, {
      ...(hint === undefined ? {} : { hint }),
    });
  }
}
