import { existsSync, readFileSync, renameSync, watch, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Answer, Plan } from './crash-at.ts';
import { type EngineOptions, startEngine, type TestEngine } from './engine.ts';
import { tempRoot } from './temp.ts';

/** An engine that can be told to die right before a step of its: see crash-at.ts. */
export type MortalEngine = AsyncDisposable & {
  readonly engine: TestEngine;
  /** From now on, it dies before the `at`th step; 0 for never. Gives the steps since the last call. */
  readonly dieAt: (at: number) => Promise<readonly string[]>;
};

const ASK_AGAIN_MS = 500;

export async function startMortalEngine(options: EngineOptions = {}): Promise<MortalEngine> {
  await using undo = new AsyncDisposableStack();
  const root = undo.use(await tempRoot('crash'));
  const plan = root.join('plan');
  const preload = fileURLToPath(new URL('./crash-at.ts', import.meta.url));
  const env = { BERTH_CRASH_PLAN: plan, NODE_COMPILE_CACHE: root.join('cache') };
  const engine = undo.use(await startEngine({ ...options, preload, env }));
  const kept = undo.move();
  let id = 0;
  return {
    engine,
    async dieAt(at) {
      id += 1;
      // Whole or not there: an earlier signal may be answered just now.
      writeFileSync(`${plan}.new`, JSON.stringify({ id, dieAt: at } satisfies Plan));
      renameSync(`${plan}.new`, plan);
      const ask = () => process.kill(engine.pid(), 'SIGUSR2');
      ask();
      // Signals of one number are one while it waits.
      const again = setInterval(ask, ASK_AGAIN_MS);
      try {
        return (await answerTo(id, `${plan}.answer`)).steps;
      } finally {
        clearInterval(again);
      }
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

/** The answer to a plan, once it is there and whole. */
async function answerTo(id: number, path: string): Promise<Answer> {
  const seen = Promise.withResolvers<Answer>();
  const look = () => {
    const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
    if (!text.endsWith('}')) return;
    const answer = JSON.parse(text) as Answer;
    if (answer.to === id) seen.resolve(answer);
  };
  const watcher = watch(dirname(path), look);
  try {
    look();
    return await seen.promise;
  } finally {
    watcher.close();
  }
}
