import test, { after } from 'node:test';
import { startEngine } from '../workshop/testing/engine.ts';
import { busyboxImage, pushImage } from '../workshop/testing/images.ts';
import { startRegistry } from '../workshop/testing/registry.ts';
import { smoke } from './testing/smoke.ts';

const resources = new AsyncDisposableStack();
after(() => resources.disposeAsync());
const registry = resources.use(await startRegistry());
const engine = resources.use(await startEngine());
await pushImage({ registry, name: 'team/tools', tag: '1.0', ...(await busyboxImage()) });
const missingImage = `${registry.host}/team/tools:1.0`;

for (const [behaviour, check] of Object.entries(smoke)) {
  test(behaviour, () => check({ host: engine.host, missingImage }));
}
