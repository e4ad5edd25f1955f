import test from 'node:test';
import { startEngine } from '../workshop/testing/engine.ts';
import { bundleBerth } from './testing/berth.ts';
import { copying } from './testing/copying.ts';
import { creating } from './testing/creating.ts';
import { executing } from './testing/executing.ts';
import type { Behaviours } from './testing/given.ts';
import { life } from './testing/life.ts';
import { observing } from './testing/observing.ts';
import { pulling } from './testing/pulling.ts';
import { reading } from './testing/reading.ts';
import { running } from './testing/running.ts';
import { terminals } from './testing/terminals.ts';

/** The command line on Berth's own engine. */
const everything: Behaviours = {
  ...running,
  ...creating,
  ...reading,
  ...pulling,
  ...terminals,
  ...life,
  ...executing,
  ...observing,
  ...copying,
};

test('on berth', async (t) => {
  await using berth = await bundleBerth();
  await using engine = await startEngine();
  for (const [behaviour, check] of Object.entries(everything))
    await t.test(behaviour, () =>
      check({ berth, engine: 'berth', host: engine.host, reachPort: engine.reachPort }),
    );
});
