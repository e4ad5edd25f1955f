import type { ErrorCode } from '../api/errors.ts';
import type { Change, PathStat } from '../api/wire/archives.ts';

/**
 * What the thread that works on a tree's files is asked, and what it says. See `thread.ts` for the engine's side and
 * `worker.ts` for the thread's own.
 */

/** Where a tree is, and how it comes to be seen. */
export type View =
  /** A directory of the host's. */
  | { readonly kind: 'directory'; readonly path: string }
  /** All that a process sees, its mounts too. `startedAt` tells it from a later one with its number. */
  | { readonly kind: 'process'; readonly pid: number; readonly startedAt: string }
  /** Layers put together in a mount namespace of the thread's own, which ends with it. */
  | {
      readonly kind: 'overlay';
      /** Uppermost first. */
      readonly lower: readonly string[];
      /** Where changes go; without it there can be none. */
      readonly upper?: { readonly directory: string; readonly work: string };
      /** An empty directory to mount on. */
      readonly at: string;
      readonly binds: readonly ViewBind[];
    };

/** Something of the host's that is seen in the tree. */
export type ViewBind = {
  readonly source: string;
  readonly destination: string;
  readonly readOnly: boolean;
};

export type Job =
  | { readonly kind: 'stat'; readonly view: View; readonly path: string }
  /** What `path` names, as an archive in which it is called `as`; its `PathStat` comes first. */
  | { readonly kind: 'pack'; readonly view: View; readonly path: string; readonly as?: string | undefined }
  /** The whole tree, without its root. */
  | { readonly kind: 'export'; readonly view: View }
  /** The upper directory of an overlay as a layer: OCI image spec, layer.md. */
  | { readonly kind: 'layer'; readonly upper: string }
  | { readonly kind: 'changes'; readonly upper: string; readonly lower: View }
  | ({ readonly kind: 'extract'; readonly view: View } & ExtractOptions);

export type ExtractOptions = {
  /** An existing directory of the tree. */
  readonly path: string;
  /** Refuse what would put a directory in the place of another thing, or the other way round. */
  readonly keepKinds: boolean;
  /** Whom all of it is to belong to; whoever the archive says where it is not given. */
  readonly owner: { readonly uid: number; readonly gid: number } | undefined;
  /** Whether the tree but for its mounts is not to be written to. */
  readonly readOnlyRoot: boolean;
};

export type ThreadData = {
  readonly job: Job;
  /** Shared with the engine: see `CANCELLED` and `TAKEN`. */
  readonly shared: Int32Array<SharedArrayBuffer>;
};

/** Not 0 when the thread is to stop. */
export const CANCELLED = 0;
/** How many chunks of the archive have been taken by whoever reads it. */
export const TAKEN = 1;
/** The thread waits when so many chunks have not been taken. */
export const MAX_WAITING = 4;

export type Message =
  | { readonly type: 'stat'; readonly stat: PathStat }
  | { readonly type: 'chunk'; readonly bytes: Uint8Array }
  /** The thread has worked off a chunk that it was given. */
  | { readonly type: 'taken' }
  | { readonly type: 'done'; readonly changes?: readonly Change[] }
  | {
      readonly type: 'refused';
      readonly code: ErrorCode;
      readonly message: string;
      readonly hint: string | undefined;
    }
  /** A system error: a class does not survive the way between threads. */
  | { readonly type: 'failed'; readonly errno: string | undefined; readonly message: string };

/** What the thread is sent: the archive's next bytes, its end, or that no more come and it is not whole. */
export type Given = Uint8Array | 'end' | 'broken';

/** The thread's module, beside this one: in the sources under its own name, in the bundles as `archive-worker.cjs`. */
export function archiveWorkerUrl(): URL {
  const name = import.meta.url.endsWith('.ts') ? './worker.ts' : './archive-worker.cjs';
  return new URL(name, import.meta.url);
}
