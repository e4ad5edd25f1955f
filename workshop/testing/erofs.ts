import { execFile } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { writeIndex } from '../../engine/layers/erofs/index-file.ts';
import { createIndexer } from '../../engine/layers/erofs/indexer.ts';
import { defaultLayerLimits } from '../../engine/layers/types.ts';
import { createTarReader } from '../../engine/tar/reader.ts';
import { tempRoot } from './temp.ts';

/** fsck.erofs before 1.6 knows only blocks as large as a page. All else of the index is the same. */
const FSCK_BLOCK_BITS = 12;

/**
 * Has fsck.erofs look at the index over an archive. Throws the engine's own error where the archive is refused, and
 * what fsck.erofs says where it finds something.
 */
export async function checkIndex(archive: Buffer): Promise<void> {
  const indexer = createIndexer(defaultLayerLimits);
  const reader = createTarReader(indexer, { sparse: true });
  reader.push(archive);
  reader.finish();
  await using root = await tempRoot('fsck');
  const [index, tar] = [root.join('index'), root.join('tar')];
  // Content is found at other places than it is there, and has to be somewhere.
  await writeFile(tar, Buffer.concat([archive, Buffer.alloc(2 ** FSCK_BLOCK_BITS)]));
  const descriptor = openSync(index, 'w');
  try {
    const { root, sharedXattrs } = indexer.finish();
    writeIndex(descriptor, {
      root,
      sharedXattrs,
      uuid: Buffer.alloc(16, 1),
      archiveBytes: archive.length,
      archiveTag: 'tar',
      blockBits: FSCK_BLOCK_BITS,
    });
  } finally {
    closeSync(descriptor);
  }
  await promisify(execFile)('fsck.erofs', [`--device=${tar}`, index]);
}
