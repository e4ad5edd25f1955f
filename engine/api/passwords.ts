import { BerthError } from './errors.ts';

/**
 * The file of names and passwords for the engine's own registry: a line for each, `name:hash`, the hash scrypt's
 * (RFC 7914) in the notation of PHC strings. The command line writes it, the engine reads it.
 */

/** 32 MB and some 60 ms a try: OWASP's password storage cheat sheet has 2^17 as the most, 2^13 as the least. */
const COST = { ln: 15, r: 8, p: 1 };
const SALT_BYTES = 16;
const HASH_BYTES = 32;
/** What somebody else's file may ask of us: 128 MB. */
const MAX_LN = 17;

const HASH = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d)\$([A-Za-z0-9+/]{16,64})\$([A-Za-z0-9+/]{32,128})$/;
const NAME = /^[^\s:\0-\x1f\x7f]{1,255}$/;

export type PasswordHash = {
  readonly ln: number;
  readonly r: number;
  readonly p: number;
  readonly salt: Buffer;
  readonly hash: Buffer;
};
export type Passwords = ReadonlyMap<string, PasswordHash>;

/** Checks what somebody wants to be called. Throws `invalid`. */
export function checkUserName(name: string): string {
  if (NAME.test(name)) return name;
  throw new BerthError('invalid', `invalid user name '${name}': expected text without spaces and colons`);
}

/** Reads a file of passwords; empty lines and those that begin with # count for nothing. Throws `invalid`. */
export function parsePasswords(text: string, what: string): Passwords {
  const found = new Map<string, PasswordHash>();
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(colon, 0));
    const wrong = (why: string) =>
      new BerthError('invalid', `${what}, line ${index + 1}: ${why}`, {
        hint: `berth registry passwd ${what} ${name || 'NAME'}`,
      });
    if (!NAME.test(name)) throw wrong('it is not name:hash');
    const match = HASH.exec(line.slice(colon + 1).trim());
    if (match === null) throw wrong(`the password of ${name} is not hashed with scrypt`);
    const [ln, r, p] = [Number(match[1]), Number(match[2]), Number(match[3])];
    if (ln < 10 || ln > MAX_LN || r < 1 || r > 8 || p !== 1)
      throw wrong(`scrypt's parameters ln=${ln},r=${r},p=${p} are not taken: at most ln=${MAX_LN},r=8,p=1`);
    const [salt, hash] = [Buffer.from(match[4] ?? '', 'base64'), Buffer.from(match[5] ?? '', 'base64')];
    found.set(name, { ln, r, p, salt, hash });
  }
  return found;
}

/** The line of a file of passwords for a name and its password. */
export async function passwordLine(name: string, password: string): Promise<string> {
  const { randomBytes } = await import('node:crypto');
  const salt = randomBytes(SALT_BYTES);
  const hash = await derive(password, { ...COST, salt, hash: Buffer.alloc(HASH_BYTES) });
  const unpadded = (bytes: Buffer) => bytes.toString('base64').replaceAll('=', '');
  const { ln, r, p } = COST;
  return `${name}:$scrypt$ln=${ln},r=${r},p=${p}$${unpadded(salt)}$${unpadded(hash)}`;
}

const nobody: PasswordHash = { ...COST, salt: Buffer.alloc(SALT_BYTES), hash: Buffer.alloc(HASH_BYTES) };

/** Whether a password is the one of a name. A name that there is not takes as long. */
export async function verifyPassword(passwords: Passwords, name: string, password: string): Promise<boolean> {
  const { timingSafeEqual } = await import('node:crypto');
  const known = passwords.get(name);
  const wanted = known ?? nobody;
  const actual = await derive(password, wanted);
  return timingSafeEqual(actual, wanted.hash) && known !== undefined;
}

async function derive(password: string, { ln, r, p, salt, hash }: PasswordHash): Promise<Buffer> {
  const { scrypt } = await import('node:crypto');
  const cost = { N: 2 ** ln, r, p, maxmem: 256 * 2 ** ln * r };
  return await new Promise((resolve, reject) => {
    scrypt(password, salt, hash.length, cost, (error, key) =>
      error === null ? resolve(key) : reject(error),
    );
  });
}
