import { toBerthError } from '../api/errors.ts';
import type { CheckFinding, CheckLine } from '../api/wire/check.ts';
import type { Fault, Look } from '../state/faults.ts';

/** Looks at one thing after the other, and repairs what is wrong where that is wanted. */
export async function* check(
  looks: readonly Look[],
  { repair, signal }: { readonly repair: boolean; readonly signal: AbortSignal },
): AsyncGenerator<CheckLine> {
  const total = looks.length;
  let [found, repaired] = [0, 0];
  for (const [done, look] of looks.entries()) {
    signal.throwIfAborted();
    yield { progress: { done, total } };
    const fault = await look();
    if (fault === undefined) continue;
    const finding = await settle(fault, repair);
    found += 1;
    if (finding.outcome === 'repaired') repaired += 1;
    yield { finding };
  }
  yield { summary: { checked: total, found, repaired } };
}

async function settle({ mend, ...fault }: Fault, repair: boolean): Promise<CheckFinding> {
  if (!repair) return { ...fault, outcome: 'found' };
  if (mend === undefined) return { ...fault, outcome: 'left', why: fault.repair };
  try {
    await mend();
    return { ...fault, outcome: 'repaired' };
  } catch (thrown) {
    return { ...fault, outcome: 'left', why: toBerthError(thrown).message };
  }
}
