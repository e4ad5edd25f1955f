import assert from 'node:assert/strict';
import { closeSync, lstatSync, mkdirSync, openSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import test from 'node:test';
import { tempRoot } from '../../workshop/testing/temp.ts';
import {
  getXattr,
  listXattrs,
  makeNode,
  mount,
  setTimes,
  setXattr,
  syncFileSystem,
  unmount,
  unmountAside,
} from './syscalls.ts';

test('a tmpfs is mounted with its options and taken off again', async () => {
  await using root = await tempRoot('mount');
  const target = await root.directory('target');
  mount({ source: 'tmpfs', target, type: 'tmpfs', flags: ['nosuid', 'noexec'], data: 'size=64k,mode=0700' });
  try {
    const line = readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .find((text) => text.includes(` ${target} `));
    assert.match(line ?? '', /nosuid,noexec.* tmpfs .*size=64k/);
    assert.throws(() => writeFileSync(`${target}/big`, Buffer.alloc(100_000)), { code: 'ENOSPC' });
  } finally {
    unmount(target);
  }
  assert.ok(!readFileSync('/proc/self/mountinfo', 'utf8').includes(` ${target} `));
});

test('a busy mount refuses to go, and goes when it is detached', async () => {
  await using root = await tempRoot('mount');
  const target = await root.directory('target');
  mount({ source: 'tmpfs', target, type: 'tmpfs' });
  const descriptor = openSync(`${target}/held`, 'w');
  try {
    assert.throws(() => unmount(target), { code: 'EBUSY', syscall: 'umount2', message: new RegExp(target) });
  } finally {
    unmount(target, { detach: true });
    closeSync(descriptor);
  }
});

test('a failed call names itself and its path', () => {
  assert.throws(() => mount({ source: 'tmpfs', target: '/nowhere/at/all', type: 'tmpfs' }), {
    code: 'ENOENT',
    syscall: 'mount',
    message: "ENOENT: mount '/nowhere/at/all' (tmpfs from 'tmpfs')",
  });
});

test('unmount does not follow a symbolic link', async () => {
  await using root = await tempRoot('mount');
  const target = await root.directory('target');
  symlinkSync(target, root.join('link'));
  mount({ source: 'tmpfs', target, type: 'tmpfs' });
  try {
    assert.throws(() => unmount(root.join('link')), { code: 'EINVAL' });
  } finally {
    unmount(target);
  }
});

test('devices and fifos are made with the numbers given', async () => {
  await using root = await tempRoot('mknod');
  makeNode(root.join('null'), { type: 'character', mode: 0o600, major: 1, minor: 3 });
  makeNode(root.join('big'), { type: 'block', mode: 0o600, major: 259, minor: 70_000 });
  makeNode(root.join('fifo'), { type: 'fifo', mode: 0o600 });
  const device = lstatSync(root.join('null'));
  assert.ok(device.isCharacterDevice());
  assert.equal(device.rdev, (1 << 8) | 3);
  assert.ok(lstatSync(root.join('big')).isBlockDevice());
  assert.equal(
    lstatSync(root.join('big'), { bigint: true }).rdev,
    (259n << 8n) | (70_000n & 0xffn) | ((70_000n & ~0xffn) << 12n),
  );
  assert.ok(lstatSync(root.join('fifo')).isFIFO());
});

test('extended attributes are set on links and on names that are not UTF-8', async () => {
  await using root = await tempRoot('xattr');
  mkdirSync(root.join('directory'));
  symlinkSync('/etc/passwd', root.join('link'));
  const odd = Buffer.concat([Buffer.from(root.join('odd-')), Buffer.of(0xff)]);
  writeFileSync(odd, '');
  for (const path of [root.join('directory'), root.join('link'), odd]) {
    setXattr(path, 'trusted.overlay.opaque', Buffer.from('y'));
    assert.equal(getXattr(path, 'trusted.overlay.opaque').toString(), 'y');
    assert.ok(listXattrs(path).includes('trusted.overlay.opaque'));
  }
  assert.throws(() => getXattr('/etc/passwd', 'trusted.overlay.opaque'), { code: 'ENODATA' });
});

test('syncfs returns on an open directory and fails on a closed one', async () => {
  await using root = await tempRoot('sync');
  const descriptor = openSync(root.path, 'r');
  syncFileSystem(descriptor, root.path);
  closeSync(descriptor);
  assert.throws(() => syncFileSystem(1_000_000, 'nothing'), { code: 'EBADF' });
});

test('a zero byte in a path is refused', () => {
  assert.throws(() => unmount('/tmp\0/x'), { code: 'EINVAL' });
});

test('times keep their nanoseconds, before 1970 too, and links have their own', async () => {
  await using root = await tempRoot('times');
  writeFileSync(root.join('file'), '');
  symlinkSync('file', root.join('link'));
  setTimes(root.join('file'), { seconds: 1_700_000_000, nanoseconds: 123_456_789 });
  setTimes(root.join('link'), { seconds: -2, nanoseconds: 500_000_000 });
  const mtime = (name: string) => lstatSync(root.join(name), { bigint: true }).mtimeNs;
  assert.equal(mtime('file'), 1_700_000_000_123_456_789n);
  assert.equal(mtime('link'), -1_500_000_000n);
});

test('any number of mounts may be taken off at the same time', async () => {
  await using root = await tempRoot('mounts');
  const target = await root.directory('target');
  const results = await Promise.allSettled(Array.from({ length: 1_000 }, () => unmountAside(target)));
  // There is none: that is what the kernel said to each.
  for (const result of results)
    assert.equal(result.status === 'rejected' ? result.reason.code : result.status, 'EINVAL');
});
