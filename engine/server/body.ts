import type { IncomingMessage } from 'node:http';
import { BerthError } from '../api/errors.ts';

/** A body longer than this is refused: the longest that clients send (`create`) are a few KiB. */
const MAX_BODY_BYTES = 4 * 2 ** 20;

type JsonObject = Readonly<Record<string, unknown>>;

/**
 * Reads a JSON object from a request's body. Throws `invalid` when it is none, is called something other than
 * JSON, or is too long.
 */
export async function readJsonBody(request: IncomingMessage): Promise<JsonObject> {
  return parseJsonObject(request.headers['content-type'], await readBytes(request));
}

/** The same of a body that may be missing, which is an object with nothing in it. */
export async function readMaybeJsonBody(request: IncomingMessage): Promise<JsonObject> {
  const bytes = await readBytes(request);
  return bytes.length === 0 ? {} : parseJsonObject(request.headers['content-type'], bytes);
}

function parseJsonObject(type: string | undefined, bytes: Buffer): JsonObject {
  const mediaType = type?.split(';')[0]?.trim().toLowerCase();
  if (mediaType !== undefined && mediaType !== 'application/json') {
    throw new BerthError('invalid', `Content-Type specified (${type}) must be 'application/json'`);
  }
  if (bytes.length === 0)
    throw new BerthError('invalid', 'the request has no body', { hint: 'send a JSON object' });
  const text = decodeUtf8(bytes);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new BerthError('invalid', `the request's body is not JSON: ${(error as Error).message}`, {
      cause: error,
    });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new BerthError('invalid', `the request's body is not a JSON object: ${text.slice(0, 100)}`);
  }
  return value as JsonObject;
}

async function readBytes(request: IncomingMessage): Promise<Buffer> {
  const tooLong = () =>
    new BerthError('invalid', `the request's body is longer than ${MAX_BODY_BYTES / 2 ** 20} MiB`);
  // Said before it is read: a client that waits with its body learns it at once.
  if (Number(request.headers['content-length'] ?? 0) > MAX_BODY_BYTES) throw tooLong();
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_BODY_BYTES) throw tooLong();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, length);
}

function decodeUtf8(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new BerthError('invalid', "the request's body is not JSON: it is not UTF-8", { cause: error });
  }
}
