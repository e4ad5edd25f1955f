import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, globSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import test from 'node:test';
import { openTestContainers, type TestContainers } from '../../workshop/testing/containers.ts';
import { tempRoot } from '../../workshop/testing/temp.ts';
import { mount, unmount } from '../host/syscalls.ts';

/** Creates one and starts it; gives its id and process. */
async function started({ containers }: TestContainers, script: string, HostConfig: object = {}) {
  const body = { Image: 'busybox', Cmd: ['sh', '-c', script], HostConfig: { ...HostConfig } };
  const { Id } = await containers.create(body, {});
  await containers.start(Id);
  return { id: Id, pid: (await containers.inspect(Id)).State.Pid };
}

/** Waits until a condition holds. */
async function until(holds: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error(`not in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

test('what is mounted below a bind is seen on its other side as its propagation says', async () => {
  await using root = await tempRoot('shared');
  await using fixture = await openTestContainers();
  const source = root.join('source');
  mkdirSync(source);
  mount({ source: 'tmpfs', target: source, type: 'tmpfs' });
  mount({ target: source, flags: ['shared'] });
  try {
    for (const name of ['inward', 'outward']) mkdirSync(`${source}/${name}`);
    const script = `busybox mount -t tmpfs inside /shared/outward; echo up; cat`;
    const binds = [`${source}:/shared:rshared`, `${source}:/slave:rslave`, `${source}:/private`];
    const { pid, id } = await started(fixture, `${script}; sleep 1000`, {
      Binds: binds,
      CapAdd: ['SYS_ADMIN'],
      SecurityOpt: ['seccomp=unconfined'],
    });
    const outside = () => readFileSync('/proc/self/mounts', 'utf8').includes(`${source}/outward`);
    await until(outside, 'the mount of the container on the host');
    mount({ source: 'tmpfs', target: `${source}/inward`, type: 'tmpfs' });
    const seen = readFileSync(`/proc/${pid}/mounts`, 'utf8');
    for (const [where, expected] of [
      ['/shared/inward', true],
      ['/slave/inward', true],
      ['/private/inward', false],
    ] as const)
      assert.equal(seen.includes(` ${where} `), expected, where);
    const Mounts = (await fixture.containers.inspect(id)).Mounts.map((one) => one.Propagation);
    assert.deepEqual(Mounts, ['rshared', 'rslave', 'rprivate']);
    // The host's own cgroups are as they were.
    assert.ok(existsSync('/sys/fs/cgroup/cgroup.controllers') || existsSync('/sys/fs/cgroup/memory/tasks'));
    await fixture.containers.remove(id, { force: true });
  } finally {
    for (const path of [`${source}/outward`, `${source}/inward`, source])
      try {
        unmount(path, { detach: true });
      } catch {
        // It never was.
      }
  }
});

test('a recursively read-only bind closes what is mounted below it', async () => {
  await using root = await tempRoot('below');
  await using fixture = await openTestContainers();
  mkdirSync(root.join('source/below'), { recursive: true });
  mount({ source: 'tmpfs', target: root.join('source/below'), type: 'tmpfs' });
  try {
    const tryAll = 'for d in /deep /flat /alone; do echo x >$d/below/x && echo $d; done 2>/dev/null; true';
    const bind = (Target: string, BindOptions: object) => ({
      Type: 'bind',
      Source: root.join('source'),
      Target,
      ReadOnly: true,
      BindOptions,
    });
    const { output } = await fixture.run({
      Cmd: ['sh', '-c', tryAll],
      HostConfig: {
        Mounts: [
          bind('/deep', {}),
          bind('/flat', { ReadOnlyNonRecursive: true }),
          bind('/alone', { NonRecursive: true }),
        ],
      },
    });
    assert.equal(output, '/flat\n');
  } finally {
    unmount(root.join('source/below'), { detach: true });
  }
});

test('a missing source is made where that was said, and fails the start where it went', async () => {
  await using root = await tempRoot('sources');
  await using fixture = await openTestContainers();
  const made = {
    Mounts: [
      { Type: 'bind', Source: root.join('a/b'), Target: '/a', BindOptions: { CreateMountpoint: true } },
    ],
  };
  assert.equal((await fixture.run({ Cmd: ['true'], HostConfig: made })).exitCode, 0);
  assert.ok(statSync(root.join('a/b')).isDirectory());
  mkdirSync(root.join('gone'));
  const { Id } = await fixture.containers.create(
    {
      Image: 'busybox',
      Cmd: ['true'],
      HostConfig: { Mounts: [{ Type: 'bind', Source: root.join('gone'), Target: '/a' }] },
    },
    {},
  );
  execFileSync('rmdir', [root.join('gone')]);
  await assert.rejects(fixture.containers.start(Id), /bind source path does not exist: .*gone/);
  assert.deepEqual(fixture.left(), []);
});

test('processes that a container in the host’s PID namespace leaves behind end with it', async () => {
  await using fixture = await openTestContainers();
  const { id } = await started(fixture, 'sleep 4321 & sleep 4321 & wait', { PidMode: 'host' });
  const mine = () =>
    readdirSync('/proc').filter((pid) => {
      try {
        return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cgroup`, 'utf8').includes(id);
      } catch {
        return false;
      }
    });
  await until(() => mine().length === 3, 'three processes');
  await fixture.containers.kill(id, {});
  await fixture.containers.wait(id, 'not-running', AbortSignal.timeout(20_000));
  await until(() => mine().length === 0, 'none of them');
  await fixture.containers.remove(id, {});
  assert.deepEqual(fixture.left(), []);
});

test('a linked container that comes back with another address is found again', async () => {
  await using fixture = await openTestContainers();
  const { containers } = fixture;
  const target = await started(fixture, 'sleep 1000');
  const guest = await started(fixture, 'sleep 1000', { Links: [`${target.id}:db`] });
  const address = async () => (await containers.inspect(target.id)).NetworkSettings.IPAddress;
  const hosts = async () => readFileSync((await containers.inspect(guest.id)).HostsPath as string, 'utf8');
  const before = await address();
  assert.match(await hosts(), new RegExp(`^${before}\tdb `, 'm'));
  const inode = statSync((await containers.inspect(guest.id)).HostsPath as string).ino;
  await containers.restart(target.id, { timeout: 0 });
  const after = await address();
  assert.notEqual(after, before);
  assert.match(await hosts(), new RegExp(`^${after}\tdb `, 'm'));
  assert.doesNotMatch(await hosts(), new RegExp(`^${before}\t`, 'm'));
  assert.equal(statSync((await containers.inspect(guest.id)).HostsPath as string).ino, inode);
  await containers.remove(target.id, { force: true });
  assert.equal((await containers.inspect(guest.id)).HostConfig.Links, null);
});

test('an address whose container ended is nobody’s, though another lives in its network', async () => {
  await using fixture = await openTestContainers();
  const { containers } = fixture;
  const donor = await started(fixture, 'sleep 1000');
  const guest = await started(fixture, 'sleep 1000', { NetworkMode: `container:${donor.id}` });
  const links = () =>
    execFileSync('nsenter', ['-t', String(guest.pid), '-n', 'ip', '-o', 'link'], { encoding: 'utf8' });
  assert.match(links(), /eth0/);
  await containers.stop(donor.id, { timeout: 0 });
  assert.doesNotMatch(links(), /eth0/);
  assert.equal((await containers.inspect(guest.id)).State.Running, true);
  await assert.rejects(containers.restart(guest.id, { timeout: 0 }), /cannot join network of a non running/);
});

test('shared memory outlives an engine and goes with its container', async () => {
  await using fixture = await openTestContainers();
  const donor = await started(fixture, 'echo kept >/dev/shm/note; sleep 1000', { IpcMode: 'shareable' });
  const later = await fixture.reopen();
  const { output, exitCode } = await fixture.run({
    Cmd: ['sh', '-c', 'until [ -e /dev/shm/note ]; do sleep 0.05; done; cat /dev/shm/note'],
    HostConfig: { IpcMode: `container:${donor.id}` },
  });
  assert.deepEqual([exitCode, output], [0, 'kept\n']);
  await later.stop(donor.id, { timeout: 0 });
  assert.deepEqual(fixture.left(), []);
});

test('real-time processor time is found for a container, and traffic of a disk is limited', async (t) => {
  const disk = readdirSync('/dev').find((name) => /^(vd|sd|nvme\d+n|loop)[a-z0-9]$/.test(name));
  if (!existsSync('/sys/fs/cgroup/cpu/cpu.rt_runtime_us') || disk === undefined)
    return t.skip('no cgroup v1, or no disk');
  await using fixture = await openTestContainers();
  const { output } = await fixture.run({
    Cmd: [
      'sh',
      '-c',
      'cd /sys/fs/cgroup; cat cpu/cpu.rt_runtime_us blkio/blkio.throttle.read_bps_device blkio/blkio.throttle.write_iops_device',
    ],
    HostConfig: {
      CpuRealtimeRuntime: 10_000,
      CpuRealtimePeriod: 1_000_000,
      BlkioDeviceReadBps: [{ Path: `/dev/${disk}`, Rate: 2 ** 20 }],
      BlkioDeviceWriteIOps: [{ Path: `/dev/${disk}`, Rate: 10 }],
    },
  });
  assert.match(output, /^10000\n\d+:\d+ 1048576\n\d+:\d+ 10\n$/);
  const { Id } = await fixture.containers.create(
    {
      Image: 'busybox',
      Cmd: ['true'],
      HostConfig: { BlkioDeviceReadBps: [{ Path: '/dev/null', Rate: 2 ** 20 }] },
    },
    {},
  );
  await assert.rejects(fixture.containers.start(Id), /\/dev\/null is no block device of the host/);
});

test('a container stands in the cgroup that it was given, and leaves it', async () => {
  await using fixture = await openTestContainers();
  const parent = `/berth-given-${process.pid}`;
  const { id } = await started(fixture, 'sleep 1000', { CgroupParent: parent });
  const found = () => globSync([`/sys/fs/cgroup${parent}/${id}`, `/sys/fs/cgroup/*${parent}/${id}`]);
  try {
    assert.ok(found().length > 0);
    await fixture.containers.pause(id);
    await fixture.containers.unpause(id);
    await fixture.containers.remove(id, { force: true });
    assert.deepEqual(found(), []);
  } finally {
    // The parent is the user's: what was given limits by hand would lose them.
    for (const path of globSync([`/sys/fs/cgroup${parent}`, `/sys/fs/cgroup/*${parent}`]))
      execFileSync('rmdir', [path]);
  }
});
