import type { Digest } from '../api/digest.ts';
import type { ErrorCode } from '../api/errors.ts';
import type { LayerLimits } from './types.ts';

/** What the thread that takes a layer in is given, and what it says. */

export type LayerJob = {
  /** A file to read, or where to write what comes as messages and what that has to be. */
  readonly blob: string | PromisedBlob;
  /** An empty directory that is to be the layer's. */
  readonly target: string;
  /** Whether the archive is unpacked, or kept with an index. */
  readonly unpack: boolean;
  readonly diffId: Digest;
  readonly limits: LayerLimits;
  /** Shared with the engine's own thread: not 0 when the work is to stop. */
  readonly cancel: Int32Array<SharedArrayBuffer>;
};

export type PromisedBlob = {
  readonly path: string;
  readonly digest: Digest;
  readonly sizeBytes: number;
  readonly what: string;
};

/**
 * What the thread is sent: its work, then the blob's bytes and their end; then other work, or that it shall end itself.
 * What comes late of one layer is before the next one's work, and is passed over.
 */
export type LayerInput = LayerJob | LayerPiece | 'end' | 'quit';
export type LayerPiece = { readonly piece: ArrayBuffer; readonly length: number };

/** What comes from a network is gathered into pieces of this size: each message between threads costs. */
export const PIECE_BYTES = 256 * 1024;
/** So many pieces go back and forth. */
export const PIECES = 4;

export type LayerMessage =
  /** A piece of the blob that was sent has been taken, and its memory is free. */
  | { readonly type: 'taken'; readonly piece: ArrayBuffer }
  | { readonly type: 'progress'; readonly bytes: number }
  /** Nothing of the layer is open any more. The thread stays for another, or ends. */
  | { readonly type: 'done'; readonly sizeBytes: number; readonly stays: boolean }
  | {
      readonly type: 'refused';
      readonly code: ErrorCode;
      readonly message: string;
      readonly hint: string | undefined;
    }
  /** A system error: a class does not survive the way between threads. */
  | { readonly type: 'failed'; readonly errno: string | undefined; readonly message: string };

/**
 * The thread's module, beside this one: in the sources under its own name, in the bundles as `layer-worker.cjs`.
 */
export function layerWorkerUrl(): URL {
  const name = import.meta.url.endsWith('.ts') ? './worker.ts' : './layer-worker.cjs';
  return new URL(name, import.meta.url);
}
