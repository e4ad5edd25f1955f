import assert from 'node:assert/strict';
import { readFileSync, readlinkSync } from 'node:fs';
import test from 'node:test';
import { tempRoot } from '../../workshop/testing/temp.ts';
import { copyMountNamespace } from './mount-namespace.ts';
import { runProgram } from './programs.ts';
import { mount, unmount } from './syscalls.ts';

test('a copied mount namespace lacks what is hidden, and this one is as it was', async () => {
  await using root = await tempRoot('mounts');
  const parent = await root.directory('parent');
  mount({ source: 'tmpfs', target: parent, type: 'tmpfs' });
  const hidden = await root.directory('parent', 'hidden');
  mount({ source: 'tmpfs', target: hidden, type: 'tmpfs' });
  // Others may be mounting elsewhere.
  const here = () => [
    readFileSync('/proc/self/mounts', 'utf8')
      .split('\n')
      .filter((line) => line.includes(root.path)),
    readlinkSync('/proc/thread-self/ns/mnt'),
    process.cwd(),
  ];
  const before = here();
  try {
    for (const sharing of [false, true]) {
      using copy = copyMountNamespace({ hidden, parent, sharing });
      const mounts = await runProgram('nsenter', [`--mount=${copy.path}`, 'cat', '/proc/self/mounts']);
      assert.ok(mounts.includes(` ${parent} `));
      assert.ok(!mounts.includes(` ${hidden} `));
      assert.deepEqual(here(), before);
    }
  } finally {
    unmount(hidden);
    unmount(parent);
  }
});
