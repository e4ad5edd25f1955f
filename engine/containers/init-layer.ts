import { lstatSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Context } from './context.ts';
import type { ContainerRecord } from './record.ts';

/**
 * What the runtime needs to mount something on. Images may lack it, and what is made in a container's own layer would
 * count as its work: `diff` would show it, `commit` would keep it. So it lies below the image, in a layer that all
 * containers share: what the image has stands above it. dockerd puts the same between (moby, `initlayer.Setup`).
 */
const directories = ['dev', 'dev/pts', 'dev/shm', 'etc', 'proc', 'sys'];
const files = ['.dockerenv', 'dev/console', 'etc/hostname', 'etc/hosts', 'etc/resolv.conf'];

/** Makes the layer where it is missing. */
export function makeInitLayer(context: Pick<Context, 'root'>): void {
  const layer = initLayerOf(context);
  mkdirSync(layer, { recursive: true, mode: 0o755 });
  const missing = (path: string) => lstatSync(join(layer, path), { throwIfNoEntry: false }) === undefined;
  for (const path of directories.filter(missing)) mkdirSync(join(layer, path), { mode: 0o755 });
  for (const path of files.filter(missing)) writeFileSync(join(layer, path), '', { mode: 0o755 });
  if (missing('etc/mtab')) symlinkSync('/proc/mounts', join(layer, 'etc/mtab'));
}

/** The directories below a container's own layer, uppermost first. */
export async function lowerLayers(
  context: Pick<Context, 'root' | 'images'>,
  record: Pick<ContainerRecord, 'imageId'>,
): Promise<readonly string[]> {
  const layers = await context.images.lowerDirs(context.images.resolve(record.imageId));
  return [...layers, initLayerOf(context)];
}

const initLayerOf = ({ root }: Pick<Context, 'root'>) => join(root, 'init-layer');
