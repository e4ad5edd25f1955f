import { BerthError } from '../api/errors.ts';
import { readBody } from './body.ts';
import type { Answer } from './http.ts';

/** What a registry refuses, in words. */

const MAX_ERROR_BYTES = 64 * 1024;

export function denied(what: string, host: string): BerthError {
  return new BerthError(
    'unauthorized',
    `access to ${what} denied: it does not exist, or ${host} wants a login`,
    {
      hint: `check the name, or log in: berth login ${host}`,
    },
  );
}

/** Puts an answer that is no success into words, with what the registry itself said. Reads or drops its body. */
export async function refusal(
  answer: Answer,
  { what, host }: { readonly what: string; readonly host: string },
): Promise<BerthError> {
  const { status } = answer;
  if (status === 401 || status === 403) {
    answer.discard();
    return denied(what, host);
  }
  const said = await registryWords(answer);
  if (status === 404) {
    return new BerthError('notFound', `no image ${what}: ${said ?? 'the registry does not know it'}`, {
      hint: 'check its name and tag',
    });
  }
  if (status === 429) {
    return new BerthError('unavailable', `${host} answers ${what} with too many requests`, {
      hint: 'wait a while, or log in: registries limit how much they serve to whom they do not know',
    });
  }
  return new BerthError(
    'unavailable',
    `${host} answered ${status} for ${what}${said === undefined ? '' : `: ${said}`}`,
    {
      hint: status >= 500 ? 'try again later' : 'check that this is the address of a registry',
    },
  );
}

/** What the errors in the answer say (distribution spec, "Error Codes"); undefined where they say nothing. */
async function registryWords(answer: Answer): Promise<string | undefined> {
  try {
    const body = await readBody(answer, { maxBytes: MAX_ERROR_BYTES, what: 'the registry' });
    const { errors } = JSON.parse(body.toString()) as { errors?: unknown };
    const first = Array.isArray(errors)
      ? (errors[0] as { code?: unknown; message?: unknown } | null)
      : undefined;
    const words = [first?.message, first?.code].find((value) => typeof value === 'string' && value !== '');
    // A hostile registry must not write to people's terminals.
    return typeof words === 'string'
      ? words
          .replace(/[^\x20-\x7e]+/g, ' ')
          .slice(0, 300)
          .toLowerCase()
      : undefined;
  } catch {
    // No JSON, too long, or cut off: the status says enough.
    return undefined;
  }
}
