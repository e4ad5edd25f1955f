import { createHash, randomBytes } from 'node:crypto';
import { type Passwords, verifyPassword } from '../api/passwords.ts';
import { createSlots } from '../layers/slots.ts';

/** Says who sent an `Authorization` header: undefined for nobody that is known. */
export type Authenticate = (header: string | undefined, signal: AbortSignal) => Promise<string | undefined>;

/** scrypt takes 32 MB a try: guesses wait for each other. */
const MAX_TRIES = 2;
const MAX_REMEMBERED = 1_000;

/**
 * Basic authentication (RFC 7617). A password that was right is not hashed again for each of a pull's requests; what
 * is kept of it is a digest with a key of this process's.
 */
export function basicAuthentication(passwords: Passwords): Authenticate {
  const key = randomBytes(32);
  const slots = createSlots(MAX_TRIES);
  const known = new Set<string>();
  return async (header, signal) => {
    const given = readBasic(header);
    if (given === undefined) return undefined;
    const { name, password } = given;
    const proof = createHash('sha256').update(key).update(`${name}:${password}`).digest('hex');
    if (known.has(proof)) return name;
    using _ = await slots.take(signal);
    if (!(await verifyPassword(passwords, name, password))) return undefined;
    if (known.size >= MAX_REMEMBERED) known.clear();
    known.add(proof);
    return name;
  };
}

function readBasic(
  header: string | undefined,
): { readonly name: string; readonly password: string } | undefined {
  const encoded = /^Basic +([A-Za-z0-9+/=_-]{1,4096})$/i.exec(header ?? '')?.[1];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? undefined : { name: text.slice(0, colon), password: text.slice(colon + 1) };
}
