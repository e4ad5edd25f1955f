import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, watch } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import test from 'node:test';
import { startEngine } from '../../workshop/testing/engine.ts';
import { imageOf, layerOf } from '../../workshop/testing/images.ts';
import { startLyingRegistry } from '../../workshop/testing/lying-registry.ts';

test('an engine that is killed while it pulls starts again without a trace of the pull', async () => {
  const image = imageOf({
    layers: [1000, 300_000].map((size) => layerOf([{ name: 'f', content: randomBytes(size) }])),
  });
  const stalled = image.layers[1]?.digest;
  let stalls = true;
  await using registry = await startLyingRegistry([{ name: 'app', image }], ({ target }) =>
    stalls && target === stalled ? { do: 'stall', afterBytes: 200_000 } : undefined,
  );
  await using engine = await startEngine({ busybox: false });
  /** Asks for the image and tells each status that comes; ends with the answer, however it ends. */
  const pull = async (onStatus: (status: string) => void) => {
    const path = `/images/create?fromImage=${encodeURIComponent(`${registry.host}/app`)}&tag=latest`;
    const outgoing = request({ socketPath: engine.socketPath, path, method: 'POST' }).end();
    const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
    let rest = '';
    answer.on('error', () => {});
    answer.on('data', (chunk: Buffer) => {
      const lines = `${rest}${chunk}`.split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) onStatus((JSON.parse(line) as { status: string }).status);
    });
    await new Promise((resolve) => answer.once('close', resolve));
  };
  const stored = () =>
    ['layers', 'content/ingest', 'content/blobs/sha256'].map(
      (name) => readdirSync(join(engine.root, name)).length,
    );

  const ingest = watch(join(engine.root, 'content/ingest'));
  const awaited = new Set(['Pull complete', 'Downloading']);
  const begun = Promise.withResolvers<void>();
  const broken = pull((status) => {
    awaited.delete(status);
    if (awaited.size === 0) begun.resolve();
  });
  await begun.promise;
  while (stored()[1] === 0) await once(ingest, 'change');
  ingest.close();
  await engine.kill();
  await broken;
  const [layers = 0, ingested = 0, blobs = 0] = stored();
  assert.ok(layers === 2 && ingested > 0 && blobs > 0, `${layers} ${ingested} ${blobs}`);

  await engine.start();
  assert.deepEqual(stored(), [0, 0, 0]);
  stalls = false;
  const statuses: string[] = [];
  await pull((status) => statuses.push(status));
  assert.match(statuses.at(-1) ?? '', /Downloaded newer image/);
  assert.deepEqual(stored(), [2, 0, 4]);
});
