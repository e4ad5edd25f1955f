import type { IncomingHttpHeaders } from 'node:http';
import { BerthError } from '../api/errors.ts';
import type { RegistryAuth } from '../images/types.ts';

const FIELDS = ['username', 'password', 'identitytoken', 'registrytoken'] as const;

/** The credentials that came with a request; as `parseRegistryAuth` reads them. */
export function authOf(headers: IncomingHttpHeaders): RegistryAuth | undefined {
  const header = headers['x-registry-auth'];
  return parseRegistryAuth(Array.isArray(header) ? header[0] : header);
}

/**
 * Reads `X-Registry-Auth`: JSON in base64, either alphabet. Nothing, `{}` and `null` mean no credentials.
 * Throws `invalid`; never with what the header holds, for that is a secret.
 */
export function parseRegistryAuth(header: string | undefined): RegistryAuth | undefined {
  if (header === undefined || header === '' || header === 'null') return undefined;
  const wrong = () => new BerthError('invalid', 'X-Registry-Auth is not a JSON object in base64');
  let value: unknown;
  try {
    // Node reads the URL-safe alphabet under this name too.
    value = JSON.parse(Buffer.from(header, 'base64').toString('utf8'));
  } catch {
    throw wrong();
  }
  if (value === null) return undefined;
  if (typeof value !== 'object' || Array.isArray(value)) throw wrong();
  return readCredentials(value, wrong);
}

/** The credentials in an object; undefined where there are none. Throws `wrong` where one is not text. */
export function readCredentials(
  value: object,
  wrong: (name: string) => BerthError,
): RegistryAuth | undefined {
  const given: Record<string, string> = {};
  for (const name of FIELDS) {
    const text = (value as Record<string, unknown>)[name];
    if (typeof text === 'string' && text !== '') given[name] = text;
    else if (text !== undefined && text !== null && text !== '') throw wrong(name);
  }
  return Object.keys(given).length === 0 ? undefined : given;
}
