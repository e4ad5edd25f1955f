import { BerthError } from './errors.ts';

/** The sha256 of some bytes, as OCI writes it. What is named by it is checked against it before use. */
export type Digest = `sha256:${string}`;

const DIGEST = /^sha256:[a-f0-9]{64}$/;

/** Whether a text is a digest that Berth can check. */
export function isDigest(text: unknown): text is Digest {
  return typeof text === 'string' && DIGEST.test(text);
}

/**
 * Reads a digest; `what` says whose it is. Throws `invalid`, and `unsupported` on an algorithm other than sha256
 * (OCI image spec, descriptor.md: the only one that implementations must know).
 */
export function parseDigest(text: unknown, what: string): Digest {
  if (isDigest(text)) return text;
  const shown = typeof text === 'string' ? `'${text.slice(0, 100)}'` : 'missing';
  if (typeof text === 'string' && /^sha(384|512):[a-f0-9]{96,128}$/.test(text)) {
    throw new BerthError('unsupported', `the digest of ${what} is ${shown}: only sha256 is understood`);
  }
  throw new BerthError('invalid', `the digest of ${what} is malformed: ${shown}`);
}

/** The digest's hexadecimal digits: what a file is called after it. */
export function hexOf(digest: Digest): string {
  return digest.slice('sha256:'.length);
}

/** The 12 digits that people are shown. */
export function shortDigest(digest: string): string {
  return digest.replace(/^sha256:/, '').slice(0, 12);
}

/** The error for content that is not what its digest says. */
export function wrongDigest(what: string, promised: Digest, actual: string): BerthError {
  return new BerthError(
    'invalid',
    `${what} is not what its digest says: ${promised} was promised, ${actual} came`,
    { hint: 'the registry, or something before it, serves other content than was pushed' },
  );
}

/** The error for content that is longer or shorter than was said; `came` is undefined where more came. */
export function wrongSize(what: string, promised: number, came: number | undefined): BerthError {
  const found = came === undefined ? 'more' : `only ${came}`;
  return new BerthError('invalid', `${what} has ${found} bytes where ${promised} were promised`);
}
