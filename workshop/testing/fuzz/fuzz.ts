import { readdirSync, readFileSync } from 'node:fs';
import vm from 'node:vm';
import { madeArchive } from './entries.ts';
import { mutated } from './mutate.ts';
import { type Random, seededRandom, seedOf } from './random.ts';

const CORPUS = new URL('corpus/', import.meta.url);

/** The archives to begin with, by name: what tools write, and what once was taken wrongly. */
export function corpus(): readonly (readonly [name: string, archive: Buffer])[] {
  return readdirSync(CORPUS)
    .toSorted()
    .map((name) => [name, readFileSync(new URL(name, CORPUS))]);
}

/** The archive of that number: made anew, spoilt, or one of the corpus spoilt. */
export function archiveOf(
  seed: number,
  input: number,
  seeds: readonly Buffer[],
): { archive: Buffer; random: Random } {
  const random = seededRandom(seedOf(seed, input));
  const made = madeArchive(random);
  const archive = random.once(2) ? made : mutated(random.once(2) ? made : random.pick(seeds), random, seeds);
  return { archive, random };
}

const context = vm.createContext({ work: undefined as unknown });
const script = new vm.Script('work()');

/** Runs something that waits for nothing, and ends it with an error where it goes on for too long. */
export function within<T>(timeoutMs: number, work: () => T): T {
  context.work = work;
  return script.runInContext(context, { timeout: timeoutMs }) as T;
}
