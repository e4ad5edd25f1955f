import type { CheckFinding } from '../api/wire/check.ts';

/** Something that is wrong, and how it is put right. */
export type Fault = Omit<CheckFinding, 'outcome' | 'why'> & {
  /** Undefined where nothing can be done here. Throws where it fails: then all is as it was. */
  readonly mend: (() => Promise<void>) | undefined;
};

/** A thing to look at; gives what is wrong with it. */
export type Look = () => Promise<Fault | undefined>;

/** What was made or written less than so long ago may belong to what is under way. */
export const SETTLED_MS = 10 * 60_000;
