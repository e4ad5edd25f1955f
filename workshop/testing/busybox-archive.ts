import { gunzipSync } from 'node:zlib';
import { busyboxImage, imageOf } from './images.ts';
import { tarOf } from './tar.ts';

/** The busybox image as `docker save` would write it, under this name. */
export async function busyboxArchive(name = 'docker.io/library/busybox:latest'): Promise<Buffer> {
  const image = imageOf(await busyboxImage());
  const files = image.layers.map((layer, index) => ({
    name: `${index}/layer.tar`,
    content: gunzipSync(layer.blob),
  }));
  const config = `${image.config.digest.slice('sha256:'.length)}.json`;
  const manifest = [{ Config: config, RepoTags: [name], Layers: files.map((file) => file.name) }];
  return tarOf([
    { name: config, content: image.config.bytes },
    ...files.flatMap((file, index) => [{ name: `${index}/`, type: 'directory' as const }, file]),
    { name: 'manifest.json', content: JSON.stringify(manifest) },
  ]);
}
