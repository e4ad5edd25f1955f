import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { gunzipSync } from 'node:zlib';
import { debianImage } from '../../../workshop/testing/debian.ts';
import { checkIndex } from '../../../workshop/testing/erofs.ts';
import { busyboxImage } from '../../../workshop/testing/images.ts';
import { layerBench } from '../../../workshop/testing/layer-contract.ts';
import { type TarEntry, tarOf } from '../../../workshop/testing/tar.ts';
import { tempRoot } from '../../../workshop/testing/temp.ts';
import { describeTree } from '../../../workshop/testing/trees.ts';
import { mount, unmount } from '../../host/syscalls.ts';
import { openLayers } from '../store.ts';
import type { LayerKind } from '../types.ts';

/** What is mounted is held against GNU tar, the kernel's overlay over directories, and fsck.erofs. */

const bench = (kind: LayerKind) => layerBench((root, limits) => openLayers(root, { kind, limits }));

for (const [name, image] of [
  ['Debian', debianImage],
  ['busybox', busyboxImage],
] as const) {
  test(`${name} is mounted entry by entry as GNU tar unpacks it`, async () => {
    const archive = gunzipSync((await image()).layers[0]?.blob ?? Buffer.alloc(0));
    await using erofs = await bench('erofs');
    await using reference = await tempRoot('gnu-tar');
    const options = [
      '-xpf',
      '-',
      '--xattrs',
      '--xattrs-include=*',
      '--numeric-owner',
      '--delay-directory-restore',
      '-C',
      reference.path,
    ];
    execFileSync('tar', options, { input: archive });
    // That of the root is no entry's where the archive has none for it.
    const entries = (path: string) => describeTree(path).slice(1);
    assert.deepEqual(entries(await erofs.unpack(archive)), entries(reference.path));
    await checkIndex(archive);
  });
}

const capability = Buffer.from('0100000200040000000000000000000000000000', 'hex');
const label = { 'security.selinux': 'system_u:object_r:container_file_t:s0\0' };

/** Layers on top of each other, lowest first; each stands for something that archives do. */
const layers: readonly (readonly TarEntry[])[] = [
  [
    { name: './', type: 'directory', mode: 0o711, uid: 5, mtime: 12 },
    { name: 'a/', type: 'directory' },
    ...Array.from({ length: 60 }, (_, index) => ({
      name: `a/${'n'.repeat(index * 4)}${index}`,
      content: 'x'.repeat(index * 97),
      mtime: index - 30 + index / 64,
      xattrs: index % 3 === 0 ? label : {},
    })),
    { name: 'a/hard', type: 'hardlink', target: 'a/0' },
    { name: 'big owner', uid: 4_294_967_294, gid: 65_536, mode: 0o7777, content: 'big' },
    {
      name: 'attributes',
      xattrs: { 'security.capability': capability, 'user.a': 'b', 'trusted.c': '', ...label },
    },
    {
      name: 'many',
      xattrs: Object.fromEntries(Array.from({ length: 90 }, (_, at) => [`user.${at}`, `${at}`])),
    },
    {
      name: 'null',
      type: 'character',
      major: 1,
      minor: 3,
      xattrs: { 'user.no': 'no', 'trusted.yes': 'yes' },
    },
    { name: 'disk', type: 'block', major: 4095, minor: 1_048_575 },
    { name: 'pipe', type: 'fifo' },
    ...[1, 100, 255, 256, 257, 511, 600, 4000].map((length) => ({
      name: `to ${length}`,
      type: 'symlink' as const,
      target: 't'.repeat(length),
      xattrs: { 'user.no': 'no' },
    })),
    { name: 'whole', content: Buffer.alloc(512, 'w') },
    { name: 'pages', content: Buffer.alloc(3 * 4096 + 1, 'p') },
    { name: 'x/y/z/', type: 'directory' },
    { name: 'x/y/z/deep', content: 'deep' },
    { name: 'late/in', content: 'before its directory' },
    { name: 'late/', type: 'directory', mode: 0o700, uid: 9, mtime: 77, xattrs: { 'user.d': 'd' } },
    { name: 'late/', type: 'directory', mode: 0o750, mtime: 78, xattrs: { 'user.e': 'e' } },
  ],
  [
    { name: 'a/.wh.0' },
    { name: 'a/new', content: 'new' },
    { name: 'x/', type: 'directory', mtime: 1 },
    { name: 'x/.wh..wh..opq' },
    { name: 'x/only', content: 'only' },
    { name: '.wh.late' },
    { name: 'late/', type: 'directory', mtime: 2 },
    { name: 'late/again', content: 'again' },
    { name: 'whole/', type: 'directory', mtime: 3 },
    { name: 'whole/now a directory', content: '' },
    { name: 'r', content: 'first' },
    { name: 'r2', type: 'hardlink', target: 'r' },
    { name: 'r', content: 'second' },
    { name: '!before the dots' },
    { name: '-' },
    { name: Buffer.from([0xff, 0xfe, 0x80]), content: 'no UTF-8' },
    { name: Buffer.from([0xc3, 0xa9]), content: 'UTF-8' },
  ],
  [{ name: '.wh.pages' }, { name: 'a/', type: 'directory', mode: 0o500 }, { name: 'a/.wh.hard' }],
];

test('layers on top of each other are what the kernel makes of the same ones as directories', async () => {
  const trees: (readonly string[])[] = [];
  for (const kind of ['directories', 'erofs'] as const) {
    await using each = await bench(kind);
    const target = await each.root.directory('target');
    const lower: string[] = [];
    for (const entries of layers) lower.unshift(await each.unpack(tarOf(entries)));
    mount({ source: 'overlay', target, type: 'overlay', flags: ['ro'], data: `lowerdir=${lower.join(':')}` });
    try {
      trees.push([...lower, target].flatMap((path) => describeTree(path).map(withoutMoments)));
    } finally {
      unmount(target);
    }
  }
  assert.ok((trees[0]?.length ?? 0) > 100);
  assert.deepEqual(trees[1], trees[0]);
  for (const entries of layers) await checkIndex(tarOf(entries));
});

const STARTED = BigInt(Date.now()) * 1_000_000n;

/** What no entry describes, a directory or a whiteout, has the moment for its time in directories, and 0 in an index. */
function withoutMoments(line: string): string {
  return line.replace(/ (0|\d{19})(?= |$)/g, (word, time: string) =>
    time === '0' || BigInt(time) >= STARTED ? ' -' : word,
  );
}

test('100,000 entries in one directory are found, each by its name', async () => {
  const names = Array.from({ length: 100_000 }, (_, index) => `${(index * 7919) % 100_000}-entry`);
  const archive = tarOf(
    names.map((name, index) => ({ name: `d/${name}`, content: index % 1000 === 0 ? name : '' })),
  );
  await using erofs = await bench('erofs');
  const directory = join(await erofs.unpack(archive), 'd');
  assert.deepEqual(new Set(readdirSync(directory)), new Set(names));
  for (let index = 0; index < names.length; index += 1000)
    assert.equal(readFileSync(join(directory, names[index] ?? ''), 'utf8'), names[index]);
  await checkIndex(archive);
});
