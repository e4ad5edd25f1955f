const waiting = new WeakMap<Promise<unknown>, Set<() => void>>();

/**
 * Calls `act` once a promise has settled, unless it is disposed of before. What is given to `then` stays with the
 * promise until it settles: a container that runs for months would gather all that ever waited for its end.
 */
export function onceSettled(promise: Promise<unknown>, act: () => void): Disposable {
  const acts = waiting.get(promise) ?? begin(promise);
  const mine = () => act();
  acts.add(mine);
  return { [Symbol.dispose]: () => void acts.delete(mine) };
}

function begin(promise: Promise<unknown>): Set<() => void> {
  const acts = new Set<() => void>();
  waiting.set(promise, acts);
  const settle = () => {
    // Whoever comes from here on begins anew, and is called at once.
    waiting.delete(promise);
    for (const each of [...acts]) each();
  };
  promise.then(settle, settle);
  return acts;
}
