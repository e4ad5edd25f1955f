import test from 'node:test';
import { startEngine } from '../workshop/testing/engine.ts';
import { bundleBerth } from './testing/berth.ts';
import { daily } from './testing/daily.ts';
import { formats, templates } from './testing/formats.ts';
import { testOnPeer } from './testing/on-peer.ts';

/**
 * What is typed to berth and to docker's own command line does the same, on dockerd and on Berth's engine. Formats are
 * the command line's own work, whatever engine gives the data.
 */
await testOnPeer('dockerd', { ...templates, ...formats, ...daily });

test('on berth', async (t) => {
  await using berth = await bundleBerth();
  await using engine = await startEngine();
  for (const [behaviour, check] of Object.entries(daily))
    await t.test(behaviour, () =>
      check({ berth, engine: 'berth', host: engine.host, reachPort: engine.reachPort }),
    );
});
