import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  ftruncateSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  type Stats,
  writeSync,
} from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import type { Digest } from '../../engine/api/digest.ts';
import { getXattr, listXattrs } from '../../engine/host/syscalls.ts';
import { openLayers } from '../../engine/layers/store.ts';
import {
  defaultLayerLimits,
  type Layer,
  type LayerId,
  type LayerLimits,
  type LayerStore,
  layerKinds,
} from '../../engine/layers/types.ts';
import { type Compression, layerOf } from './images.ts';
import { type TarEntry, tarOf } from './tar.ts';
import { type TempRoot, tempRoot } from './temp.ts';

/** What every way of keeping layers has to do: run by the tests of each. */

export type OpenLayers = (root: string, limits: LayerLimits) => LayerStore;

type Bench = AsyncDisposable & {
  readonly root: TempRoot;
  readonly store: LayerStore;
  readonly apply: (
    content: readonly TarEntry[] | Buffer,
    options?: { readonly compression?: Compression; readonly diffId?: string; readonly signal?: AbortSignal },
  ) => Promise<Layer>;
  /** Applies a layer and gives its directory. */
  readonly unpack: (content: readonly TarEntry[] | Buffer) => Promise<string>;
};

/** A store in a directory of its own, and a way to put layers into it. */
export async function layerBench(open: OpenLayers, limits: Partial<LayerLimits> = {}): Promise<Bench> {
  const root = await tempRoot('layers');
  const store = open(root.join('layers'), { ...defaultLayerLimits, ...limits });
  await store.recover(new Set());
  let count = 0;
  const apply: Bench['apply'] = async (content, options = {}) => {
    const layer = layerOf(content, { compression: options.compression ?? 'gzip' });
    count += 1;
    const blob = root.join(`blob-${count}`);
    await writeFile(blob, layer.blob);
    const { signal = new AbortController().signal, diffId = layer.diffId } = options;
    return await store.apply({ blob, diffId: diffId as Digest, signal });
  };
  return {
    root,
    store,
    apply,
    unpack: async (content) => {
      const { id } = await apply(content);
      const [directory = ''] = await store.directories([id]);
      return directory;
    },
    [Symbol.asyncDispose]: async () => {
      await store.recover(new Set());
      await root[Symbol.asyncDispose]();
    },
  };
}

/** Declares the tests. `name` is the implementation's. */
export function layerStoreContract(name: string, open: OpenLayers): void {
  /** Applies entries that have to be refused, and checks that nothing is left of them or outside. */
  const refuses = async (
    entries: readonly TarEntry[] | Buffer,
    message: RegExp,
    limits: Partial<LayerLimits> = {},
  ) => {
    await using bench = await layerBench(open, limits);
    const outside = readdirSync(bench.root.path);
    await assert.rejects(bench.apply(entries), { name: 'BerthError', code: 'invalid', message });
    assert.deepEqual(readdirSync(bench.root.join('layers')), []);
    assert.deepEqual(
      readdirSync(bench.root.path).filter((entry) => !entry.startsWith('blob')),
      outside,
    );
  };

  for (const compression of ['gzip', 'zstd', 'none'] as const) {
    test(`${name}: a layer with ${compression} is taken in`, async () => {
      await using bench = await layerBench(open);
      const { id, sizeBytes } = await bench.apply([{ name: 'a', content: 'hello' }], { compression });
      const [directory = ''] = await bench.store.directories([id]);
      assert.equal(readFileSync(join(directory, 'a'), 'utf8'), 'hello');
      assert.equal(sizeBytes, 5);
    });
  }

  test(`${name}: modes, owners, times and links are those of the archive`, async () => {
    await using bench = await layerBench(open);
    const directory = await bench.unpack([
      { name: 'd/', type: 'directory', mode: 0o2755, uid: 3, gid: 5, mtime: 100 },
      { name: 'd/setuid', mode: 0o4755, uid: 7, gid: 9, mtime: 1_600_000_000.25, content: 'x' },
      { name: 'd/old', mtime: -86_400.5 },
      { name: 'd/read-only', mode: 0o444, uid: 4_000_000_000 },
      { name: 'd/link', type: 'symlink', target: '/nowhere/at all', uid: 11, mtime: 5 },
      { name: 'd/hard', type: 'hardlink', target: 'd/setuid' },
      { name: 'null', type: 'character', mode: 0o666, major: 1, minor: 3 },
      { name: 'disk', type: 'block', mode: 0o600, major: 259, minor: 300 },
      { name: 'pipe', type: 'fifo', mode: 0o640 },
    ]);
    const at = (path: string) => lstatSync(join(directory, path), { bigint: true });
    const owner = (path: string) =>
      `${at(path).uid}:${at(path).gid} ${(at(path).mode & 0o7777n).toString(8)}`;
    assert.equal(owner('d'), '3:5 2755');
    assert.equal(at('d').mtimeNs, 100_000_000_000n);
    assert.equal(owner('d/setuid'), '7:9 4755');
    assert.equal(at('d/setuid').mtimeNs, 1_600_000_000_250_000_000n);
    assert.equal(at('d/old').mtimeNs, -86_400_500_000_000n);
    // Not the group of its directory, though that is setgid.
    assert.equal(owner('d/read-only'), '4000000000:0 444');
    assert.equal(readlinkSync(join(directory, 'd/link')), '/nowhere/at all');
    assert.equal(at('d/link').uid, 11n);
    assert.equal(at('d/link').mtimeNs, 5_000_000_000n);
    assert.equal(at('d/hard').ino, at('d/setuid').ino);
    assert.equal(at('null').rdev, (1n << 8n) | 3n);
    assert.ok(at('disk').isBlockDevice());
    assert.ok(at('pipe').isFIFO());
  });

  test(`${name}: long names, names that are not UTF-8 and attributes are kept`, async () => {
    await using bench = await layerBench(open);
    const long = `${'deep/'.repeat(40)}${'n'.repeat(200)}`;
    const capability = Buffer.from('0100000200040000000000000000000000000000', 'hex');
    const directory = await bench.unpack([
      { name: long, content: 'deep' },
      { name: Buffer.from('odd-\xff', 'latin1'), content: 'odd' },
      { name: 'to', type: 'symlink', target: `${'x'.repeat(120)}/y` },
      { name: 'ping', xattrs: { 'security.capability': capability, 'user.note': 'a=b' } },
    ]);
    assert.equal(readFileSync(join(directory, long), 'utf8'), 'deep');
    assert.equal(readFileSync(Buffer.from(`${directory}/odd-\xff`, 'latin1'), 'utf8'), 'odd');
    assert.equal(readlinkSync(join(directory, 'to')), `${'x'.repeat(120)}/y`);
    assert.deepEqual(getXattr(join(directory, 'ping'), 'security.capability'), capability);
  });

  test(`${name}: a whiteout is a 0/0 character device, an opaque directory has overlay's attribute`, async () => {
    await using bench = await layerBench(open);
    const directory = await bench.unpack([
      { name: 'd/', type: 'directory' },
      { name: 'd/.wh.gone' },
      { name: 'd/.wh.back' },
      { name: 'd/back/', type: 'directory' },
      { name: 'o/', type: 'directory' },
      { name: 'o/.wh..wh..opq' },
      { name: 'o/new', content: 'x' },
      { name: 'own', content: 'stays' },
      { name: '.wh.own' },
      { name: '.wh..wh.plnk/1' },
    ]);
    const gone = lstatSync(join(directory, 'd/gone'));
    assert.ok(gone.isCharacterDevice() && gone.rdev === 0);
    assert.equal(getXattr(join(directory, 'o'), 'trusted.overlay.opaque').toString(), 'y');
    // Hidden below and made anew here: what is below must not shine through.
    assert.equal(getXattr(join(directory, 'd/back'), 'trusted.overlay.opaque').toString(), 'y');
    assert.equal(readFileSync(join(directory, 'own'), 'utf8'), 'stays');
    assert.deepEqual(listXattrs(join(directory, 'd')), []);
  });

  test(`${name}: an entry that comes again replaces the one before`, async () => {
    await using bench = await layerBench(open);
    const directory = await bench.unpack([
      { name: 'a', content: 'first' },
      { name: 'a', content: '2nd' },
      { name: 'b/c/', type: 'directory' },
      { name: 'b/c/d', content: 'x' },
      { name: 'b', content: 'now a file' },
      { name: 'e', content: 'x' },
      { name: 'e/', type: 'directory', mode: 0o700 },
      { name: 'e/f', content: 'y' },
    ]);
    assert.equal(readFileSync(join(directory, 'a'), 'utf8'), '2nd');
    assert.equal(readFileSync(join(directory, 'b'), 'utf8'), 'now a file');
    assert.equal(readFileSync(join(directory, 'e/f'), 'utf8'), 'y');
  });

  test(`${name}: a link to a directory is followed inside the root, as in a chroot`, async () => {
    await using bench = await layerBench(open);
    const directory = await bench.unpack([
      { name: 'usr/lib/', type: 'directory' },
      { name: 'lib', type: 'symlink', target: 'usr/lib' },
      { name: 'lib/a', content: 'a' },
      { name: 'etc', type: 'symlink', target: '/usr' },
      { name: 'etc/b', content: 'b' },
      { name: 'up', type: 'symlink', target: '../../../../../..' },
      { name: 'up/c', content: 'c' },
      { name: 'deep/er/', type: 'directory' },
      { name: 'deep/er/absolute', type: 'symlink', target: '/usr' },
      { name: 'deep/er/absolute/e', content: 'e' },
    ]);
    assert.equal(readFileSync(join(directory, 'usr/lib/a'), 'utf8'), 'a');
    assert.equal(readFileSync(join(directory, 'usr/b'), 'utf8'), 'b');
    assert.equal(readFileSync(join(directory, 'c'), 'utf8'), 'c');
    assert.equal(readFileSync(join(directory, 'usr/e'), 'utf8'), 'e');
  });

  test(`${name}: an absolute name is taken from the layer's root`, async () => {
    await using bench = await layerBench(open);
    const directory = await bench.unpack([
      { name: '/berth-absolute/file', content: 'x' },
      { name: '/hard', type: 'hardlink', target: '/berth-absolute/file' },
    ]);
    assert.equal(readFileSync(join(directory, 'hard'), 'utf8'), 'x');
    assert.equal(exists('/berth-absolute'), undefined);
  });

  test(`${name}: overlay's own attributes are not taken from an archive`, async () => {
    await using bench = await layerBench(open);
    const directory = await bench.unpack([
      {
        name: 'd/',
        type: 'directory',
        xattrs: { 'trusted.overlay.redirect': '/etc', 'trusted.overlay.opaque': 'y' },
      },
    ]);
    assert.deepEqual(listXattrs(join(directory, 'd')), []);
  });

  test(`${name}: a name that leaves the root is refused`, () =>
    refuses([{ name: '../outside', content: 'x' }], /'\.\.\/outside'.*leaves the root/));
  test(`${name}: a name that leaves the root further on is refused`, () =>
    refuses([{ name: 'a/../../outside', content: 'x' }], /leaves the root/));
  test(`${name}: a hard link to something outside the root is refused`, () =>
    refuses([{ name: 'passwd', type: 'hardlink', target: '../../../../etc/passwd' }], /leaves the root/));
  test(`${name}: a hard link through a link out of the root finds nothing there`, () =>
    refuses(
      [
        { name: 'out', type: 'symlink', target: '/etc' },
        { name: 'passwd', type: 'hardlink', target: 'out/passwd' },
      ],
      /does not exist/,
    ));
  test(`${name}: links that go round are refused`, () =>
    refuses(
      [
        { name: 'a', type: 'symlink', target: 'b' },
        { name: 'b', type: 'symlink', target: 'a' },
        { name: 'a/x', content: 'x' },
      ],
      /too many links/,
    ));
  test(`${name}: a file in place of the root is refused`, () =>
    refuses([{ name: './', type: 'symlink', target: '/etc' }], /the root/));
  test(`${name}: a whiteout of nothing is refused`, () =>
    refuses([{ name: 'd/.wh...' }], /whiteout of nothing/));
  test(`${name}: an unknown kind of entry is refused`, () => refuses([{ name: 'x', flag: 'Z' }], /type 'Z'/));
  test(`${name}: what is no tar is refused`, () =>
    refuses(Buffer.alloc(2048, 'not a tar '), /no tar archive/));
  test(`${name}: an archive that breaks off is refused`, () =>
    refuses([{ name: 'x', content: 'short', size: 1_000_000 }], /malformed|cut off/));
  test(`${name}: a name with a zero byte is refused`, () =>
    refuses([{ name: 'x', pax: { path: 'a\0b' } }], /zero byte/));
  test(`${name}: more entries than allowed are refused`, () =>
    refuses(
      Array.from({ length: 20 }, (_, index) => ({ name: `f${index}` })),
      /more than 10 entries/,
      { maxEntries: 10 },
    ));
  test(`${name}: directories that no entry asked for count, too`, () =>
    refuses([{ name: `${'d/'.repeat(50)}f` }], /more than 10 entries/, { maxEntries: 10 }));
  test(`${name}: a larger archive than allowed is refused`, () =>
    refuses([{ name: 'x', content: Buffer.alloc(100_000, 1) }], /larger than 50000 bytes/, {
      maxBytes: 50_000,
    }));
  test(`${name}: a bomb is refused`, () =>
    refuses([{ name: 'x', content: Buffer.alloc(20_000_000) }], /more than 10 times/, {
      maxRatio: 10,
      ratioFromBytes: 1_000_000,
    }));

  test(`${name}: another diffID than promised is refused`, async () => {
    await using bench = await layerBench(open);
    const diffId = `sha256:${'0'.repeat(64)}`;
    await assert.rejects(bench.apply([{ name: 'a' }], { diffId }), {
      code: 'invalid',
      message: /0{64} was promised/,
    });
    assert.deepEqual(readdirSync(bench.root.join('layers')), []);
  });

  test(`${name}: cancelling leaves nothing behind`, async () => {
    await using bench = await layerBench(open);
    const entries = Array.from({ length: 5_000 }, (_, index) => ({ name: `d${index}/f` }));
    const controller = new AbortController();
    const applied = bench.apply(entries, { signal: controller.signal });
    setTimeout(() => controller.abort(), 100);
    await assert.rejects(applied, { code: 'cancelled' });
    assert.deepEqual(readdirSync(bench.root.join('layers')), []);
  });

  test(`${name}: a file with holes is what it was, in each way that GNU tar has of writing it`, async () => {
    await using bench = await layerBench(open);
    await using made = await tempRoot('holes');
    const file = openSync(made.join('holes'), 'w');
    for (const at of [0, 40_960, 1_048_576 + 512])
      writeSync(file, Buffer.alloc(4096, `at ${at} `), 0, 4096, at);
    ftruncateSync(file, 3_000_001);
    closeSync(file);
    const expected = readFileSync(made.join('holes'));
    for (const format of ['--format=gnu', '0.0', '0.1', '1.0']) {
      const options = format.startsWith('--') ? [format] : ['--format=pax', `--sparse-version=${format}`];
      const archive = execFileSync('tar', ['-C', made.path, '--sparse', ...options, '-cf', '-', 'holes']);
      assert.ok(archive.length < 100_000, format);
      const directory = await bench.unpack(archive);
      assert.deepEqual(readdirSync(directory), ['holes'], format);
      assert.ok(readFileSync(join(directory, 'holes')).equals(expected), format);
    }
  });

  test(`${name}: the archive of a layer, where it is kept, is the one that came`, async () => {
    await using bench = await layerBench(open);
    // Without its closing zeros and the padding of its last file.
    const archive = tarOf([{ name: 'a', content: 'x'.repeat(700) }]).subarray(0, 512 + 700);
    const { id } = await bench.apply(archive);
    const [directory = ''] = await bench.store.directories([id]);
    assert.equal(readFileSync(join(directory, 'a'), 'utf8'), 'x'.repeat(700));
    const kept = await bench.store.archive(id);
    assert.equal(kept === undefined, bench.store.kind === 'directories');
    if (kept !== undefined)
      assert.deepEqual(readFileSync(kept.path).subarray(0, kept.sizeBytes), Buffer.from(archive));
    await assert.rejects(bench.store.archive(id + 1), { code: 'internal', message: /lost/ });
  });

  test(`${name}: what stores of other kinds have kept is read, and stays as it is`, async () => {
    await using bench = await layerBench(open);
    const kinds = layerKinds.filter((kind) => kind !== bench.store.kind);
    const kept: LayerId[] = [];
    for (const kind of kinds) {
      const other = openLayers(bench.root.join('layers'), { kind });
      const layer = layerOf([{ name: 'kept by', content: kind }], { compression: 'none' });
      const blob = bench.root.join(`blob-${kind}`);
      await writeFile(blob, layer.blob);
      const signal = new AbortController().signal;
      kept.push((await other.apply({ blob, diffId: layer.diffId as Digest, signal })).id);
    }
    const reopened = open(bench.root.join('layers'), defaultLayerLimits);
    await reopened.recover(new Set(kept));
    const directories = await reopened.directories(kept);
    assert.deepEqual(
      directories.map((directory) => readFileSync(join(directory, 'kept by'), 'utf8')),
      kinds,
    );
  });

  test(`${name}: layers have numbers of their own, and go alone`, async () => {
    await using bench = await layerBench(open);
    const first = await bench.apply([{ name: 'a', content: '1' }]);
    const second = await bench.apply([{ name: 'b', content: '22' }]);
    assert.notEqual(first.id, second.id);
    const [upper = '', lower = ''] = await bench.store.directories([second.id, first.id]);
    assert.deepEqual([readdirSync(upper), readdirSync(lower)], [['b'], ['a']]);
    await bench.store.remove(first.id);
    await bench.store.remove(first.id);
    await assert.rejects(bench.store.directories([first.id]), { code: 'internal', message: /lost/ });
    assert.deepEqual(readdirSync(upper), ['b']);
  });

  test(`${name}: after a crash the layers that rows name are there, and nothing else`, async () => {
    await using bench = await layerBench(open);
    const kept = await bench.apply([{ name: 'kept' }]);
    await bench.apply([{ name: 'unnamed' }]);
    const reopened = open(bench.root.join('layers'), defaultLayerLimits);
    await reopened.recover(new Set([kept.id]));
    const [directory = ''] = await reopened.directories([kept.id]);
    assert.deepEqual(readdirSync(directory), ['kept']);
    assert.deepEqual(readdirSync(bench.root.join('layers')), [String(kept.id)]);
  });
}

function exists(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}
