import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { digestOf, imageOf, layerOf, type PushTarget, push, type TestLayer } from '../testing/images.ts';
import { type TarEntry, tarOf } from '../testing/tar.ts';

/**
 * An image of the size that people pull: 6 layers, 60,000 files, some 550 MB, which gzip makes 330 of.
 * Deterministic, so that figures of two days can be compared.
 */

const LAYERS = 6;
const FILES = 60_000;
const FILES_PER_DIRECTORY = 40;
const POOL_BYTES = 16 * 1024 * 1024;
const WORD_COUNT = 4_000;

/** Whatever changes in what this module makes, changes these. */
export const BENCH_IMAGE = 'bench:v1';
export const SMALL_IMAGE = 'bench-small:v1';
const SMALL_BYTES = 5_000_000;

/** mulberry32: a small generator whose sequence a seed fixes. Numbers from 0 to 1. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Words, as code and text have them, with noise between: gzip takes two fifths off, as of a mixture of text and programs. */
function contentPool(random: () => number): Buffer {
  const words = Array.from({ length: WORD_COUNT }, () => Math.floor(random() * 36 ** 6).toString(36));
  const parts: Buffer[] = [];
  for (let size = 0; size < POOL_BYTES; ) {
    const text = Array.from({ length: 200 }, () => words[Math.floor(random() ** 3 * WORD_COUNT)]).join(' ');
    const noise = Buffer.from(Array.from({ length: 400 }, () => Math.floor(random() * 256)));
    parts.push(Buffer.from(text), noise);
    size += text.length + noise.length;
  }
  return Buffer.concat(parts);
}

/** Nine in ten are up to 8 KiB, nearly all others up to 64 KiB, one in a thousand some MiB: like a /usr. */
function fileSize(random: () => number): number {
  const kind = random();
  if (kind < 0.9) return Math.floor(random() * 8 * 1024);
  if (kind < 0.999) return Math.floor((8 + random() * 56) * 1024);
  return Math.floor((1 + random() * 2) * 1024 * 1024);
}

function* layerEntries(layer: number, pool: Buffer, random: () => number): Generator<TarEntry> {
  for (let index = 0; index < FILES / LAYERS; index += 1) {
    const directory = `usr/share/part-${layer}/group-${Math.floor(index / FILES_PER_DIRECTORY)}`;
    if (index === 0) yield { name: `usr/share/part-${layer}/`, type: 'directory' };
    if (index % FILES_PER_DIRECTORY === 0) yield { name: `${directory}/`, type: 'directory' };
    const size = fileSize(random);
    const start = Math.floor(random() * (pool.length - size));
    yield { name: `${directory}/file-${index}.txt`, content: pool.subarray(start, start + size) };
  }
}

async function makeLayers(): Promise<readonly TestLayer[]> {
  const pool = contentPool(generator(1));
  const { mediaType } = layerOf([]);
  const compress = promisify(gzip);
  const layers: TestLayer[] = [];
  for (let index = 0; index < LAYERS; index += 1) {
    const tar = tarOf([...layerEntries(index, pool, generator(100 + index))]);
    const blob = await compress(tar, { level: 6 });
    layers.push({ mediaType, blob, digest: digestOf(blob), diffId: digestOf(tar) });
  }
  return layers;
}

/** A layer of 5 MB, compressed, in one file, as a static program is. */
function smallLayer(): TestLayer {
  const pool = contentPool(generator(7));
  return layerOf([{ name: 'program', mode: 0o755, content: pool.subarray(0, (SMALL_BYTES * 5) / 3) }]);
}

/** Makes the images and pushes them. Takes half a minute. */
export async function pushBenchImages(registry: PushTarget): Promise<void> {
  for (const [reference, layers] of [
    [BENCH_IMAGE, await makeLayers()],
    [SMALL_IMAGE, [smallLayer()]],
  ] as const) {
    const [name = '', tag = ''] = reference.split(':');
    await push({ registry, name, tag, image: imageOf({ layers, config: { Cmd: ['true'] } }) });
  }
}
