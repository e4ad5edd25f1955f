import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { globSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test from 'node:test';
import { tempRoot } from '../../workshop/testing/temp.ts';
import { detectCgroups, removeCgroup } from './cgroups.ts';
import { openRuntime } from './oci.ts';

test('removing what the runtime has no record of takes its cgroups away', async () => {
  await using root = await tempRoot('runtime');
  const cgroupParent = `/berth-${randomBytes(4).toString('hex')}`;
  const id = randomBytes(32).toString('hex');
  // What crun leaves of a create that fails after it made the cgroup, as it does on v2 without CAP_SYS_RESOURCE.
  const [hierarchy = ''] = globSync('/sys/fs/cgroup/{,*/}cgroup.procs').map(dirname);
  mkdirSync(join(hierarchy, cgroupParent, id), { recursive: true });
  try {
    const runtime = await openRuntime({
      stateDir: root.join('state'),
      runDir: root.path,
      cgroups: detectCgroups(),
      cgroupParent,
    });
    await runtime.remove(id);
    assert.deepEqual(globSync(`/sys/fs/cgroup/{,*/}${cgroupParent.slice(1)}/*/`), []);
    assert.equal(await runtime.status(id), undefined);
  } finally {
    removeCgroup(join(cgroupParent, id));
    removeCgroup(cgroupParent);
  }
});
