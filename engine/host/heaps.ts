import { setFlagsFromString } from 'node:v8';
import { call } from './libc.ts';

/**
 * Keeps the memory of this process small, and that of its threads: to be imported before all else that takes memory.
 *
 * V8 doubles its room for young objects under load, and sees the small objects there, not the large pieces of layers
 * that hang on them: the more room, the more of those wait to be collected. So it stays as it is at the start.
 *
 * The C library gives memory back: large pieces lie by themselves and go when they are freed, and threads share heaps.
 * Otherwise glibc learns from the first large piece to keep such in its heaps, one for each thread, and an engine that
 * has pulled an image stays 70 MiB larger. In musl, which needs none, there is no mallopt.
 */

/** mallopt(3). */
const [M_MMAP_THRESHOLD, M_ARENA_MAX] = [-3, -8];
const LARGE_BYTES = 128 * 1024;
const HEAPS = 2;

setFlagsFromString('--semi-space-growth-factor=1');
shareHeaps();

function shareHeaps(): void {
  let mallopt: (parameter: number, value: number) => number;
  try {
    mallopt = call('int mallopt(int, int)');
  } catch {
    return;
  }
  mallopt(M_ARENA_MAX, HEAPS);
  mallopt(M_MMAP_THRESHOLD, LARGE_BYTES);
}
