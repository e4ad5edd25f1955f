import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { BerthError } from '../api/errors.ts';
import { unmount } from '../host/syscalls.ts';
import { BLOCK } from '../tar/header.ts';
import { openIndexing } from './erofs/keep.ts';
import { mountIndex } from './erofs/mounts.ts';
import { TREE } from './paths.ts';
import { defaultLayerLimits, type LayerKind } from './types.ts';

/**
 * Finds the best way to keep layers that this machine has, by trying: versions of kernels say little of what a
 * distribution built. `wanted` is the one that was set. Throws `unavailable` where that can't be.
 */
export function chooseLayerKind(root: string, wanted: LayerKind | 'auto'): LayerKind {
  if (wanted === 'directories') return wanted;
  if (wanted === 'auto')
    return (
      (['erofs', 'erofs-loop'] as const).find((how) => tryMount(root, how) === undefined) ?? 'directories'
    );
  const why = tryMount(root, wanted);
  if (why === undefined) return wanted;
  throw new BerthError('unavailable', `layers can't be kept as ${wanted} on this machine: ${why}`, {
    hint: 'set layers.kind to auto',
  });
}

/** Mounts a layer without a file. Gives why that can't be; undefined where it can. */
function tryMount(root: string, how: 'erofs' | 'erofs-loop'): string | undefined {
  mkdirSync(root, { recursive: true, mode: 0o700 });
  const directory = mkdtempSync(join(root, 'new-probe-'));
  try {
    const tree = join(directory, TREE);
    mkdirSync(tree);
    const diffId = `sha256:${'0'.repeat(64)}` as const;
    using intake = openIndexing(directory, { diffId, limits: defaultLayerLimits });
    intake.push(Buffer.alloc(2 * BLOCK));
    intake.finish();
    mountIndex(directory, how);
    unmount(tree, { detach: true });
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
