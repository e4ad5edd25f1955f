import { type TarEntry, tarOf } from '../tar.ts';
import type { Random } from './random.ts';

/**
 * Archives whose entries get in each other's way: few names, so that they meet, and all that an entry can say, so that
 * it is said wrongly too. Nothing that they could reach outside of a tree is there on any machine.
 */
export function madeArchive(random: Random): Buffer {
  return tarOf(Array.from({ length: 1 + random.below(14) }, () => madeEntry(random)));
}

const parts = [
  'a',
  'b',
  'c',
  'd',
  'a',
  'b',
  '.wh.a',
  '.wh.b',
  '.wh..wh..opq',
  '.',
  'ü',
  'n'.repeat(90),
] as const;
const oddParts = [
  '..',
  '',
  '.wh.',
  '.wh...',
  '.wh..wh.x',
  'x'.repeat(255),
  'y'.repeat(256),
  '\0',
  '\u{1f40b}',
] as const;

function madeName(random: Random): string {
  const part = () => (random.once(25) ? random.pick(oddParts) : random.pick(parts));
  const path = Array.from({ length: 1 + random.below(4) }, part).join('/');
  if (!random.once(12)) return path;
  return random.pick([
    `/${path}`,
    `./${path}`,
    `${path}/`,
    `../${path}`,
    `${`${path}/`.repeat(40)}z`,
    '',
    '/',
    './',
  ]);
}

function madeTarget(random: Random): string {
  if (!random.once(4)) return madeName(random);
  return random.pick([
    '.',
    '..',
    '/',
    '../..',
    '/berth-fuzz-outside',
    '../../../berth-fuzz-outside',
    't'.repeat(4095),
  ]);
}

const types = [
  'file',
  'file',
  'file',
  'directory',
  'directory',
  'symlink',
  'symlink',
  'hardlink',
  'hardlink',
  'fifo',
  'character',
  'block',
] as const;
const sizes = [0, 0, 1, 5, 511, 512, 513, 1024, 4096, 5000] as const;
const ids = [0, 0, 1, 1000, 65_535, 65_536, 2 ** 32 - 2, 2 ** 32 - 1, 2 ** 32] as const;
const times = [0, 1, 1_700_000_000, 1_700_000_000.5, -1, -1.25, 2 ** 33] as const;
const attributes = [
  'user.a',
  'user.b',
  'trusted.a',
  'security.berth',
  'trusted.overlay.opaque',
  'user.overlay.x',
  'user.',
  'bad',
  'system.x',
] as const;

function madeEntry(random: Random): TarEntry {
  const type = random.pick(types);
  const content = type === 'file' ? random.bytes(random.pick(sizes)) : undefined;
  return {
    name: madeName(random),
    type,
    mode: random.pick([0o644, 0o755, 0o700, 0o7777, 0, 0o4711]),
    uid: random.once(4) ? random.pick(ids) : 0,
    gid: random.once(4) ? random.pick(ids) : 0,
    mtime: random.pick(times),
    ...(content === undefined ? {} : { content }),
    ...(type === 'symlink' || type === 'hardlink' ? { target: madeTarget(random) } : {}),
    ...(type === 'character' || type === 'block'
      ? { major: random.pick([0, 1, 255, 4095, 4096]), minor: random.pick([0, 3, 256, 1_048_575, 1_048_576]) }
      : {}),
    ...(random.once(5) ? { xattrs: { [random.pick(attributes)]: random.bytes(random.below(40)) } } : {}),
    ...(random.once(15) ? { pax: madeRecord(random) } : {}),
    ...(random.once(60)
      ? { flag: random.pick(['7', 'S', 'g', 'L', 'K', 'x', 'D', 'V', '\0', '9'] as const) }
      : {}),
    ...(random.once(60) ? { size: random.pick([1, 512, 513, 2 ** 20 + 1, 2 ** 40] as const) } : {}),
  };
}

function madeRecord(random: Random): Readonly<Record<string, string>> {
  const key = random.pick([
    'path',
    'linkpath',
    'size',
    'mtime',
    'uid',
    'gid',
    'comment',
    'GNU.sparse.major',
    'GNU.sparse.map',
    'GNU.sparse.realsize',
    'GNU.sparse.size',
    'GNU.sparse.name',
    'SCHILY.xattr.',
  ] as const);
  const value = random.pick([
    'a',
    'a/b',
    '',
    '0',
    '1',
    '512',
    '-1',
    '1e3',
    '0,512',
    '512,0,1024,512',
    '99999999999999999999',
    '1.5',
    '../a',
    '\0',
  ] as const);
  return { [key]: value };
}
