import type { FileHandle } from 'node:fs/promises';
import type { IncomingHttpHeaders } from 'node:http';
import type { HostedImages } from '../images/hosted/types.ts';
import type { Uploads } from './uploads.ts';

/** A request to the registry, as its handlers see it. */
export type Ask = {
  readonly method: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: AsyncIterable<Uint8Array>;
  /** Aborts when the client has gone. */
  readonly signal: AbortSignal;
};

/** What a handler answers with; the body is left out of the answer to a HEAD. */
export type Answer = {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | FilePart;
};

/** Bytes `start` to `end`, which is not one of them. The file is closed once they are sent. */
export type FilePart = { readonly file: FileHandle; readonly start: number; readonly end: number };

/** What the handlers work on. */
export type RegistryParts = { readonly hosted: HostedImages; readonly uploads: Uploads };

export function jsonAnswer(value: unknown, headers: Readonly<Record<string, string>> = {}): Answer {
  return {
    status: 200,
    headers: { 'Content-Type': 'application/json', ...headers },
    body: Buffer.from(JSON.stringify(value)),
  };
}
