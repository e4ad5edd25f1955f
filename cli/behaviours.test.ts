import test from 'node:test';
import { startEngine } from '../workshop/testing/engine.ts';
import { everything } from './testing/behaviours.ts';
import { bundleBerth } from './testing/berth.ts';

/** The command line on Berth's own engine. */
test('on berth', async (t) => {
  await using berth = await bundleBerth();
  await using engine = await startEngine();
  for (const [behaviour, check] of Object.entries(everything))
    await t.test(behaviour, () =>
      check({ berth, engine: 'berth', host: engine.host, reachPort: engine.reachPort }),
    );
});
