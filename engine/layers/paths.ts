/**
 * What a layer's directory holds. `TREE` is what overlay is given: the files themselves, or where the index is
 * mounted; then `ARCHIVE` and `INDEX` are beside it.
 */
export const TREE = 'fs';
export const ARCHIVE = 'archive.tar';
export const INDEX = 'index.erofs';
