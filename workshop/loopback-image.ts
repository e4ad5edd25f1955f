import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { ROOT } from './sources.ts';
import { debianImage, debianImageKept } from './testing/debian.ts';
import { pushImage } from './testing/images.ts';
import { startRegistry } from './testing/registry.ts';

/**
 * The registry's port, so that the image keeps its name from one quick start to the next. Where it is taken, any.
 */
const PORT = 5055;

export type LoopbackImage = AsyncDisposable & {
  /** As one types it: `127.0.0.1:5055/debian:bookworm`. */
  readonly reference: string;
  readonly sizeBytes: number;
};

/**
 * For machines that can't reach Docker Hub: a Debian image, in a registry on loopback that stands until it is
 * disposed of. `say` is told what takes long, before it does.
 */
export async function serveDebian(say: (what: string) => void): Promise<LoopbackImage> {
  // Needed here alone, so they are not installed where Docker Hub answers.
  const setup = spawnSync('sh', [join(ROOT, 'workshop/setup.sh'), 'packages', 'image'], { stdio: 'inherit' });
  if (setup.status !== 0)
    throw new Error('debootstrap and docker-registry are needed, and could not be installed');
  if (!(await debianImageKept())) say('debootstrap makes a Debian image, once: about a minute …');
  const image = await debianImage();
  await using undo = new AsyncDisposableStack();
  const registry = undo.use(await startRegistry({ port: PORT }).catch(() => startRegistry()));
  await pushImage({ registry, name: 'debian', tag: 'bookworm', ...image });
  const kept = undo.move();
  return {
    reference: `${registry.host}/debian:bookworm`,
    sizeBytes: image.layers.reduce((sum, layer) => sum + layer.blob.length, 0),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}
