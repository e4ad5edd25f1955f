import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { closeSync, existsSync, ftruncateSync, mkdirSync, openSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { checkIndex } from '../../workshop/testing/erofs.ts';
import { archiveOf, corpus, within } from '../../workshop/testing/fuzz/fuzz.ts';
import type { Random } from '../../workshop/testing/fuzz/random.ts';
import { tempRoot } from '../../workshop/testing/temp.ts';
import { describeTree } from '../../workshop/testing/trees.ts';
import type { Digest } from '../api/digest.ts';
import { BerthError } from '../api/errors.ts';
import { mount, unmount } from '../host/syscalls.ts';
import { createTarReader } from '../tar/reader.ts';
import { writeIndex } from './erofs/index-file.ts';
import { createIndexer } from './erofs/indexer.ts';
import { openIndexing } from './erofs/keep.ts';
import { mountIndex } from './erofs/mounts.ts';
import type { Intake } from './intake.ts';
import { ARCHIVE, INDEX, TREE } from './paths.ts';
import { openUnpacking } from './unpack.ts';

/**
 * Archives from a seed, hostile and broken ones among them, are read, indexed, unpacked and mounted. `BERTH_FUZZ_SEED`
 * is the seed, `BERTH_FUZZ_SECONDS` how long, `BERTH_FUZZ_INPUT` the number of the one input to look at.
 */

const seed = Number(process.env.BERTH_FUZZ_SEED ?? 1);
const seconds = Number(process.env.BERTH_FUZZ_SECONDS ?? 10);
const only = process.env.BERTH_FUZZ_INPUT;

/** So many inputs take a second at most, on a machine that does nothing else. */
const BATCH = 100;
const STUCK_MS = 30_000;
/** So many inputs are read and indexed for one that is mounted and unpacked, and for one that fsck.erofs looks at. */
const MOUNTED = 12;
const CHECKED = 60;
const limits = {
  maxBytes: 2 ** 24,
  maxEntries: 2_000,
  maxNameBytes: 2 ** 20,
  maxRatio: 400,
  ratioFromBytes: 2 ** 24,
};
const diffId: Digest = `sha256:${'0'.repeat(64)}`;

/** What an archive comes to: its entries one after the other, and how it ended. Cut into such pieces. */
function read(
  archive: Buffer,
  pieceBytes: () => number,
): { readonly digest: string; readonly bytes: number } {
  const hash = createHash('sha256');
  let bytes = 0;
  const reader = createTarReader(
    {
      entry: (entry) => {
        const xattrs = entry.xattrs.map(({ name, value }) => [name, value.toString('hex')]);
        hash.update(JSON.stringify({ ...entry, xattrs }));
        bytes += entry.sizeBytes;
      },
      data: (piece) => void hash.update(piece),
      end: () => void hash.update('end'),
    },
    { sparse: true },
  );
  hash.update(
    outcomeOf(() => {
      for (let at = 0; at < archive.length; ) {
        const end = Math.min(archive.length, at + pieceBytes());
        reader.push(archive.subarray(at, end));
        at = end;
      }
      reader.finish();
    }),
  );
  return { digest: hash.digest('hex'), bytes };
}

/** Runs it: `taken`, or the words it is refused with. Whatever is thrown that is no refusal goes on. */
function outcomeOf(work: () => void): string {
  try {
    work();
    return 'taken';
  } catch (error) {
    if (error instanceof BerthError && ['invalid', 'unsupported'].includes(error.code)) return error.message;
    throw error;
  }
}

function readAndIndex(archive: Buffer, random: Random, index: number): { bytes: number; taken: boolean } {
  const { digest, bytes } = read(archive, () => archive.length);
  assert.equal(read(archive, () => 1 + random.below(700)).digest, digest, 'cut otherwise it reads otherwise');
  const indexer = createIndexer(limits);
  const reader = createTarReader(indexer, { sparse: true });
  const outcome = outcomeOf(() => {
    reader.push(archive);
    reader.finish();
    const { root, sharedXattrs } = indexer.finish();
    ftruncateSync(index, 0);
    writeIndex(index, {
      root,
      sharedXattrs,
      uuid: Buffer.alloc(16),
      archiveBytes: archive.length,
      archiveTag: 'tar',
    });
  });
  return { bytes, taken: outcome === 'taken' };
}

function takeIn(archive: Buffer, open: () => Intake): string {
  using intake = open();
  return outcomeOf(() => {
    intake.push(archive);
    intake.finish();
  });
}

/** Time of what no entry describes, a directory or a whiteout: the moment in directories, 0 in an index. */
function withoutMoments(started: bigint) {
  return (line: string) =>
    line.replace(/ (0|\d{19})(?= |$)/g, (word, time: string) =>
      time === '0' || BigInt(time) >= started ? ' -' : word,
    );
}

/** Mounts the index and unpacks the archive, and holds one against the other. `memory` is a tmpfs. */
function mountedIsUnpacked(archive: Buffer, disk: string, memory: string): void {
  const started = BigInt(Date.now() - 1_000) * 1_000_000n;
  const [indexed, unpacked] = [join(disk, 'indexed'), join(memory, 'unpacked')];
  mkdirSync(join(indexed, TREE), { recursive: true });
  mkdirSync(unpacked);
  try {
    const one = takeIn(archive, () => openIndexing(indexed, { diffId, limits }));
    const other = takeIn(archive, () => openUnpacking(unpacked, limits));
    assert.deepEqual([one === 'taken', one], [other === 'taken', one === 'taken' ? other : one], other);
    if (one !== 'taken') return;
    mountIndex(indexed, 'erofs');
    try {
      const strip = withoutMoments(started);
      assert.deepEqual(describeTree(join(indexed, TREE)).map(strip), describeTree(unpacked).map(strip));
    } finally {
      unmount(join(indexed, TREE));
    }
  } finally {
    for (const path of [join(indexed, ARCHIVE), join(indexed, INDEX), indexed, unpacked])
      rmSync(path, { recursive: true, force: true });
  }
}

type Input = { readonly name: string; readonly archive: Buffer; readonly random: Random };

test('archives of all kinds are read and indexed, or refused with an error of our own', async (t) => {
  const known = corpus();
  const seeds = known.map(([, archive]) => archive);
  const input = (number: number): Input => ({ name: String(number), ...archiveOf(seed, number, seeds) });
  await using disk = await tempRoot('fuzz');
  const memory = await disk.directory('memory');
  mount({ source: 'tmpfs', target: memory, type: 'tmpfs', flags: [], data: 'mode=0700' });
  const index = openSync(disk.join('index'), 'w');
  const counts = { inputs: 0, taken: 0, mounted: 0, checked: 0 };
  let current = '';
  /** Looks at an input; says whether fsck.erofs is to. */
  const look = ({ archive, random }: Input, thoroughly: boolean): boolean => {
    const { bytes, taken } = readAndIndex(archive, random, index);
    counts.inputs += 1;
    if (taken) counts.taken += 1;
    // A file of terabytes with holes would be read as long as it is.
    if (bytes > limits.maxBytes) return false;
    if (thoroughly || random.once(MOUNTED)) {
      mountedIsUnpacked(archive, disk.path, memory);
      counts.mounted += 1;
    }
    return taken && (thoroughly || random.once(CHECKED));
  };
  const lookAtAll = async (inputs: Iterable<Input>, thoroughly: boolean) => {
    const checked: Input[] = [];
    within(STUCK_MS, () => {
      for (const one of inputs) {
        current = one.name;
        if (look(one, thoroughly)) checked.push(one);
      }
    });
    for (const { name, archive } of checked) {
      current = name;
      await checkIndex(archive);
      counts.checked += 1;
    }
  };
  try {
    if (only !== undefined) return await lookAtAll([input(Number(only))], true);
    const { random } = input(0);
    await lookAtAll(
      known.map(([name, archive]) => ({ name, archive, random })),
      true,
    );
    const end = performance.now() + seconds * 1000;
    for (let first = 0; performance.now() < end; first += BATCH)
      await lookAtAll(
        Array.from({ length: BATCH }, (_, at) => input(first + at)),
        false,
      );
    assert.ok(counts.taken > 0 && counts.mounted > 0 && counts.checked > 0);
  } catch (error) {
    t.diagnostic(`BERTH_FUZZ_SEED=${seed} BERTH_FUZZ_INPUT=${current} has it again`);
    throw error;
  } finally {
    closeSync(index);
    unmount(memory);
    t.diagnostic(`seed ${seed}: ${JSON.stringify(counts)}`);
    assert.ok(!existsSync('/berth-fuzz-outside'), 'something was made outside of the tree');
  }
});
