import assert from 'node:assert/strict';
import test from 'node:test';
import { tempRoot } from '../../workshop/testing/temp.ts';
import { openRegistry } from '../distribution/registry.ts';
import type { HostedImages } from '../images/hosted/types.ts';
import { serveAlways } from './registry.ts';

test('what hinders the registry is said in the log, and nothing else', async () => {
  await using root = await tempRoot('registry-settings');
  await using registry = openRegistry({ hosted: {} as HostedImages, warn: () => undefined });
  const said: string[] = [];
  const log = { info: () => undefined, warn: (line: string) => void said.push(line) };
  for (const settings of [{ passwords: root.join('none') }, { address: '0.0.0.0' }, undefined])
    await serveAlways(registry, settings, log);
  assert.equal(said.length, 2);
  assert.match(said[0] ?? '', /the registry is not served: registry.passwords can't be read: ENOENT/);
  assert.match(said[1] ?? '', /the registry is not served: 0.0.0.0 is reached from other machines/);
});
