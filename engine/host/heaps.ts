import { call } from './libc.ts';

/** mallopt(3). */
const [M_MMAP_THRESHOLD, M_ARENA_MAX] = [-3, -8];
const LARGE_BYTES = 128 * 1024;
const HEAPS = 2;

/**
 * Has the C library give memory back: large pieces, as layers come in, lie by themselves and go when they are freed, and
 * threads share heaps. Otherwise glibc learns from the first large piece to keep such in its heaps, one for each thread,
 * and an engine that has pulled an image stays 70 MiB larger. Does nothing where there is no mallopt (musl).
 */
export function keepHeapsSmall(): void {
  let mallopt: (parameter: number, value: number) => number;
  try {
    mallopt = call('int mallopt(int, int)');
  } catch {
    return;
  }
  mallopt(M_ARENA_MAX, HEAPS);
  mallopt(M_MMAP_THRESHOLD, LARGE_BYTES);
}
