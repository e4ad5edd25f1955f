import assert from 'node:assert/strict';
import test from 'node:test';
import { startEngine } from '../workshop/testing/engine.ts';
import { startUploadRegistry } from '../workshop/testing/upload-registry.ts';
import { openSession, type ProgressSeen } from './testing/session.ts';
import { assertConforms } from './testing/smoke.ts';

test('images are tagged and pushed where the operator asked for it, and only there', async () => {
  await using registry = await startUploadRegistry();
  await using engine = await startEngine();
  const { host } = engine;
  const name = `${registry.host}/team/app:1`;
  {
    await using session = await openSession({ host });
    const names = (await session.list()).map((tool) => tool.name);
    assert.ok(!names.includes('image_push') && !names.includes('image_tag'));
    const refused = await session.call('image_push', { image: name }).catch(() => ({ isError: true }));
    assert.ok(refused.isError);
    await using reading = await openSession({ host, flags: ['--toolsets', 'publish', '--read-only'] });
    assert.ok(!(await reading.list()).some((tool) => tool.name === 'image_push'));
  }
  await using session = await openSession({ host, flags: ['--toolsets', 'publish'] });
  const tools = new Map((await session.list()).map((tool) => [tool.name, tool]));
  assert.equal(tools.get('image_push')?.annotations?.openWorldHint, true);
  const tagged = await session.call('image_tag', { image: 'busybox', name });
  assert.equal(tagged.isError, false, tagged.text);
  assertConforms(tools.get('image_tag'), tagged.data);
  const seen: ProgressSeen[] = [];
  const pushed = await session.call('image_push', { image: name }, { onprogress: (one) => seen.push(one) });
  assert.equal(pushed.isError, false, pushed.text);
  assertConforms(tools.get('image_push'), pushed.data);
  assert.deepEqual([...registry.manifests.keys()], ['1']);
  assert.match(String(pushed.data.digest), /^sha256:[0-9a-f]{64}$/);
  assert.match(seen[0]?.message ?? '', /^pushing /);
  const foreign = await session.call('image_push', { image: name, platform: 'linux/s390x' });
  assert.match(foreign.text, /has no image for linux\/s390x/);
  assert.equal(foreign.isError, true);
  for (const image of [`${registry.host}/nobody`, 'UPPER']) {
    const answer = await session.call('image_push', { image });
    assert.equal(answer.isError, true, answer.text);
  }
});
