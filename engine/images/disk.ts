import { BerthError, isErrno } from '../api/errors.ts';

/** Puts a full or failing disk into words; any other error is given back as it is. */
export function diskError(
  error: unknown,
  { doing, root }: { readonly doing: string; readonly root: string },
): unknown {
  if (error instanceof BerthError) return error;
  if (isErrno(error, 'ENOSPC') || isErrno(error, 'EDQUOT') || isSqliteFull(error)) {
    return new BerthError('unavailable', `no space left on the disk while ${doing}`, {
      hint: `make room below ${root}: berth rmi removes images`,
      cause: error,
    });
  }
  if (isErrno(error, 'EROFS') || isErrno(error, 'EIO')) {
    return new BerthError('unavailable', `the disk below ${root} can't be written to while ${doing}`, {
      cause: error,
    });
  }
  return error;
}

/** SQLITE_FULL, https://www.sqlite.org/rescode.html */
function isSqliteFull(error: unknown): boolean {
  return error instanceof Error && (error as { readonly errcode?: unknown }).errcode === 13;
}
