/** Numbers that look random and are the same each time for the same seed (mulberry32). */
export type Random = {
  /** From 0 up to, and without, `end`. */
  readonly below: (end: number) => number;
  readonly pick: <T>(items: readonly T[]) => T;
  /** Whether something happens that does so once in `times`. */
  readonly once: (times: number) => boolean;
  readonly bytes: (length: number) => Buffer;
};

export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  const below = (end: number) => next() % end;
  return {
    below,
    pick: <T>(items: readonly T[]) => items[below(items.length)] as T,
    once: (times) => below(times) === 0,
    bytes: (length) => Buffer.from(Array.from({ length }, () => below(256))),
  };
}

/** A seed of its own for the input of that number, so that each can be made again by itself. */
export function seedOf(seed: number, input: number): number {
  return (Math.imul(seed, 0x9e3779b1) ^ Math.imul(input + 1, 0x85ebca6b)) >>> 0;
}
