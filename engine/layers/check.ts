import { existsSync } from 'node:fs';
import { mkdir, open, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { BerthError, isErrno } from '../api/errors.ts';
import { archiveLength } from './erofs/keep.ts';
import { ARCHIVE, INDEX, TREE } from './paths.ts';
import { takeInThread } from './thread.ts';
import { treeDifference } from './tree-difference.ts';
import type { LayerCheck, LayerLimits } from './types.ts';

/**
 * What is wrong with a layer's directory, in words; undefined where nothing is. The layer is taken in once more, in
 * a thread, from its archive or else from its blob, and what comes of that is held against what is there: every byte of
 * the archive and of the index, or every file. `scratch` is made and removed.
 */
export async function checkLayer(
  directory: string,
  options: LayerCheck & { readonly scratch: string; readonly limits: LayerLimits },
): Promise<string | undefined> {
  const { diffId, blob, signal, scratch, limits } = options;
  if (!existsSync(directory)) return 'it is not there';
  if (!existsSync(join(directory, TREE))) return 'it has no tree of files';
  const isIndexed = existsSync(join(directory, INDEX));
  if (!isIndexed && existsSync(join(directory, ARCHIVE))) return 'its index is not there';
  const source = isIndexed ? join(directory, ARCHIVE) : blob;
  // A tree alone can be held against nothing; a blob that is gone is said of the blob.
  if (source === undefined || (!isIndexed && !existsSync(source))) return undefined;
  if (isIndexed) {
    const found = await archiveFault(directory);
    if (found !== undefined) return found;
  }
  await rm(scratch, { recursive: true, force: true });
  await mkdir(scratch);
  try {
    await takeInThread({ blob: source, diffId, signal }, { target: scratch, unpack: !isIndexed, limits });
    if (!isIndexed) return await treeDifference(join(directory, TREE), join(scratch, TREE), signal);
    return (await sameBytes(join(directory, INDEX), join(scratch, INDEX)))
      ? undefined
      : 'its index is not the one that its archive makes';
  } catch (error) {
    if (isErrno(error, 'EIO')) return 'the disk does not give it back';
    if (!(error instanceof BerthError) || error.code === 'cancelled') throw error;
    return isIndexed ? `its archive is damaged: ${error.message}` : undefined;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function archiveFault(directory: string): Promise<string | undefined> {
  if (!existsSync(join(directory, ARCHIVE))) return 'its archive is not there';
  const promised = archiveLength(directory);
  if (promised === undefined) return 'its index does not say how long its archive is';
  const { size } = await stat(join(directory, ARCHIVE));
  return size < promised ? `its archive has ${size} bytes of ${promised}` : undefined;
}

const PIECE_BYTES = 1024 * 1024;

async function sameBytes(one: string, other: string): Promise<boolean> {
  await using a = await open(one, 'r');
  await using b = await open(other, 'r');
  const [left, right] = [Buffer.alloc(PIECE_BYTES), Buffer.alloc(PIECE_BYTES)];
  for (;;) {
    const [{ bytesRead }, { bytesRead: others }] = await Promise.all([a.read(left), b.read(right)]);
    if (bytesRead !== others || !left.subarray(0, bytesRead).equals(right.subarray(0, others))) return false;
    if (bytesRead === 0) return true;
  }
}
