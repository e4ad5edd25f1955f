import type { Digest } from '../api/digest.ts';
import type { ErrorCode } from '../api/errors.ts';
import type { LayerLimits } from './types.ts';

/** What the thread that takes a layer in is given, and what it says. */

export type LayerJob = {
  readonly blob: string;
  /** An empty directory that is to be the layer's. */
  readonly target: string;
  /** Whether the archive is unpacked, or kept with an index. */
  readonly unpack: boolean;
  readonly diffId: Digest;
  readonly limits: LayerLimits;
  /** Shared with the engine's own thread: not 0 when the work is to stop. */
  readonly cancel: Int32Array<SharedArrayBuffer>;
};

export type LayerMessage =
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
 * The thread's module, beside this one: in the sources under its own name, in the bundles as `layer-worker.cjs`.
 */
export function layerWorkerUrl(): URL {
  const name = import.meta.url.endsWith('.ts') ? './worker.ts' : './layer-worker.cjs';
  return new URL(name, import.meta.url);
}
