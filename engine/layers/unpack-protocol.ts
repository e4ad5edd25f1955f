import type { Digest } from '../api/digest.ts';
import type { ErrorCode } from '../api/errors.ts';
import type { LayerLimits } from './types.ts';

/** What the unpacking thread is given, and what it says. */

export type UnpackJob = {
  readonly blob: string;
  /** An empty directory. */
  readonly target: string;
  readonly diffId: Digest;
  readonly limits: LayerLimits;
  /** Shared with the engine's own thread: not 0 when the work is to stop. */
  readonly cancel: Int32Array<SharedArrayBuffer>;
};

export type UnpackMessage =
  | { readonly type: 'progress'; readonly bytes: number }
  | { readonly type: 'done'; readonly sizeBytes: number }
  | {
      readonly type: 'refused';
      readonly code: ErrorCode;
      readonly message: string;
      readonly hint: string | undefined;
    }
  /** A system error: a class does not survive the way between threads. */
  | { readonly type: 'failed'; readonly errno: string | undefined; readonly message: string };

/**
 * The thread's module, beside this one: in the sources under its own name, in the bundles as `unpack-worker.js`.
 */
export function unpackWorkerUrl(): URL {
  const name = import.meta.url.endsWith('.ts') ? './unpack-worker.ts' : './unpack-worker.js';
  return new URL(name, import.meta.url);
}
