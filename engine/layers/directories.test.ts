import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import test from 'node:test';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { debianImage } from '../../workshop/testing/debian.ts';
import { layerBench, layerStoreContract, type OpenLayers } from '../../workshop/testing/layer-contract.ts';
import { tempRoot } from '../../workshop/testing/temp.ts';
import { describeTree } from '../../workshop/testing/trees.ts';
import { openLayers } from './store.ts';

const openDirectoryLayers: OpenLayers = (root, limits) => openLayers(root, { kind: 'directories', limits });

layerStoreContract('directories', openDirectoryLayers);

test('directories: Debian is unpacked entry by entry as GNU tar does it', async () => {
  await using bench = await layerBench(openDirectoryLayers);
  await using reference = await tempRoot('gnu-tar');
  const [layer] = (await debianImage()).layers;
  assert.ok(layer !== undefined);
  const ours = bench.unpack(gunzipSync(layer.blob));
  const theirs = await reference.directory('fs');
  const tar = promisify(execFile)('tar', [
    '-xpf',
    '-',
    '--xattrs',
    '--xattrs-include=*',
    '--numeric-owner',
    '-C',
    theirs,
  ]);
  tar.child.stdin?.end(gunzipSync(layer.blob));
  await tar;
  const expected = describeTree(theirs);
  assert.ok(expected.length > 5_000, `${expected.length} entries`);
  assert.deepEqual(describeTree(await ours), expected);
});
