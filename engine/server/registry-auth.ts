import { BerthError } from '../api/errors.ts';
import type { RegistryAuth } from '../images/types.ts';

const FIELDS = ['username', 'password', 'identitytoken', 'registrytoken'] as const;

/**
 * Reads `X-Registry-Auth`: JSON in base64, either alphabet. Nothing, `{}` and `null` mean no credentials.
 * Throws `invalid`; never with what the header holds, for that is a secret.
 */
export function parseRegistryAuth(header: string | undefined): RegistryAuth | undefined {
  if (header === undefined || header === '' || header === 'null') return undefined;
  const wrong = (cause?: unknown) =>
    new BerthError('invalid', 'X-Registry-Auth is not a JSON object in base64', { cause });
  let value: unknown;
  try {
    // Node reads the URL-safe alphabet under this name too.
    value = JSON.parse(Buffer.from(header, 'base64').toString('utf8'));
  } catch (error) {
    throw wrong(error);
  }
  if (value === null) return undefined;
  if (typeof value !== 'object' || Array.isArray(value)) throw wrong();
  const given: Record<string, string> = {};
  for (const name of FIELDS) {
    const text = (value as Record<string, unknown>)[name];
    if (typeof text === 'string' && text !== '') given[name] = text;
    else if (text !== undefined && text !== null && text !== '') throw wrong();
  }
  return Object.keys(given).length === 0 ? undefined : given;
}
