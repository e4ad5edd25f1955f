import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { totalmem } from 'node:os';
import test from 'node:test';
import { tempRoot } from '../../workshop/testing/temp.ts';
import { findCgroup } from './cgroup-places.ts';
import { readUsage } from './usage.ts';

test('a v2 cgroup is read as docker reads it', async () => {
  await using root = await tempRoot('cgroup');
  // A tree with controllers can't be mounted on every machine; these are the kernel's own words.
  const files = {
    'cpu.stat':
      'usage_usec 2500\nuser_usec 2000\nsystem_usec 500\nnr_periods 7\nnr_throttled 3\nthrottled_usec 9\n',
    'memory.current': '1048576\n',
    'memory.max': 'max\n',
    'memory.stat': 'anon 1000\nfile 2000\ninactive_file 1500\npgfault 12\n',
    'memory.events': 'low 0\nhigh 0\nmax 4\noom 2\noom_kill 1\n',
    'pids.current': '3\n',
    'pids.max': 'max\n',
    'io.stat':
      '8:0 rbytes=4096 wbytes=8192 rios=1 wios=2 dbytes=0 dios=0\n259:1 rbytes=1 wbytes=0 rios=1 wios=0\n',
  };
  for (const [name, text] of Object.entries(files)) await writeFile(root.join(name), text);
  const usage = readUsage({ version: 2, of: () => root.path }, process.pid);
  assert.deepEqual(usage?.cpu_stats.cpu_usage, {
    total_usage: 2_500_000,
    usage_in_kernelmode: 500_000,
    usage_in_usermode: 2_000_000,
  });
  assert.deepEqual(usage?.cpu_stats.throttling_data, {
    periods: 7,
    throttled_periods: 3,
    throttled_time: 9_000,
  });
  assert.deepEqual(usage?.memory_stats, {
    usage: 1_048_576,
    stats: { anon: 1000, file: 2000, inactive_file: 1500, pgfault: 12 },
    failcnt: 2,
    limit: totalmem(),
  });
  assert.deepEqual(usage?.pids_stats, { current: 3 });
  assert.deepEqual(usage?.blkio_stats.io_service_bytes_recursive, [
    { major: 8, minor: 0, op: 'read', value: 4096 },
    { major: 8, minor: 0, op: 'write', value: 8192 },
    { major: 259, minor: 1, op: 'read', value: 1 },
    { major: 259, minor: 1, op: 'write', value: 0 },
  ]);
  assert.equal(usage?.blkio_stats.io_serviced_recursive, null);
  assert.equal(usage?.networks, undefined, "the machine's own interfaces are nobody's");
});

test('a process that has ended has no cgroup, and a cgroup that is gone no usage', async () => {
  const child = spawn('true');
  await once(child, 'exit');
  assert.equal(findCgroup(child.pid ?? 0, 'f'.repeat(64)), undefined);
  assert.equal(readUsage({ version: 1, of: () => '/sys/fs/cgroup/none' }, child.pid ?? 0), undefined);
});
