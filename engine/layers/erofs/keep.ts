import { closeSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Digest } from '../../api/digest.ts';
import { BLOCK } from '../../tar/header.ts';
import { createTarReader } from '../../tar/reader.ts';
import type { Intake } from '../intake.ts';
import { ARCHIVE, INDEX } from '../paths.ts';
import type { LayerLimits } from '../types.ts';
import { roundUp } from './format.ts';
import { writeIndex } from './index-file.ts';
import { createIndexer } from './indexer.ts';
import { readArchiveTag } from './superblock.ts';

/**
 * Keeps an archive as it comes, and writes the index over it at its end. The file is filled up to whole blocks, which
 * is what a loop device shows of it; the index says how long the archive itself is.
 */
export function openIndexing(
  directory: string,
  { diffId, limits }: { readonly diffId: Digest; readonly limits: LayerLimits },
): Intake {
  const indexer = createIndexer(limits);
  const reader = createTarReader(indexer, { sparse: true });
  const archive = openSync(join(directory, ARCHIVE), 'wx', 0o600);
  let bytes = 0;
  return {
    push: (chunk) => {
      reader.push(chunk);
      writeWhole(archive, chunk);
      bytes += chunk.length;
    },
    finish: () => {
      reader.finish();
      const { root, sharedXattrs, sizeBytes } = indexer.finish();
      const archiveBytes = roundUp(bytes, BLOCK);
      writeWhole(archive, Buffer.alloc(archiveBytes - bytes));
      const index = openSync(join(directory, INDEX), 'wx', 0o600);
      try {
        const uuid = Buffer.from(diffId.slice('sha256:'.length), 'hex').subarray(0, 16);
        writeIndex(index, { root, sharedXattrs, uuid, archiveBytes, archiveTag: `tar ${bytes}` });
        fsyncSync(index);
      } finally {
        closeSync(index);
      }
      fsyncSync(archive);
      return { sizeBytes };
    },
    [Symbol.dispose]: () => closeSync(archive),
  };
}

/** How many bytes of the archive's file are the archive; undefined where the index doesn't say. */
export function archiveLength(directory: string): number | undefined {
  const index = openSync(join(directory, INDEX), 'r');
  try {
    const head = Buffer.alloc(2048);
    readSync(index, head, 0, head.length, 0);
    const digits = /^tar (\d+)$/.exec(readArchiveTag(head))?.[1];
    return digits === undefined ? undefined : Number(digits);
  } finally {
    closeSync(index);
  }
}

function writeWhole(descriptor: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at);
}
