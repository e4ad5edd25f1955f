/** The shapes of what is said of a container's files. */

/** What a tree's path names: the Engine API's X-Docker-Container-Path-Stat. */
export type PathStat = {
  readonly name: string;
  readonly size: number;
  /** Go's os.FileMode. */
  readonly mode: number;
  /** RFC 3339, with nanoseconds. */
  readonly mtime: string;
  readonly linkTarget: string;
};

export type ChangeKind = 0 | 1 | 2;
/** A path that differs from the image: modified (0), added (1) or deleted (2). */
export type Change = { readonly Path: string; readonly Kind: ChangeKind };
