import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { pullImage } from '../../engine/client/pull.ts';
import { type Contender, contenders } from './contenders.ts';
import { BENCH_IMAGE, SMALL_IMAGE } from './image.ts';
import type { Limit } from './limits.ts';
import { type Daemon, isDaemon, type Measure, type Subject } from './measures.ts';

/** What is measured of images. */
export function imageMeasures(options: {
  readonly engines: readonly Contender[];
  readonly transfer: Limit;
}): readonly Measure[] {
  const { engines, transfer } = options;
  return [
    {
      word: 'pull',
      title: 'Pull of 6 layers, 60,000 files, 550 MB (330 MB compressed)',
      rounds: 3,
      warmUp: 0,
      subjects: async () => [...engines.map((engine) => pullOf(engine, BENCH_IMAGE)), transfer],
    },
    {
      word: 'small',
      title: 'Pull of one layer of 5 MB',
      rounds: 10,
      warmUp: 1,
      subjects: async () => [
        ...engines.map((engine) => pullOf(engine, SMALL_IMAGE)),
        ...engines.filter(isDaemon).map((engine) => socketPullOf(engine, SMALL_IMAGE)),
      ],
    },
    {
      word: 'remove',
      title: 'Removal of the large image',
      rounds: 3,
      warmUp: 0,
      subjects: async () => engines.map(removalOf),
    },
    {
      word: 'read',
      title: 'Reading all files of the large image in a container, cold and warm',
      rounds: 3,
      warmUp: 0,
      subjects: async (undo) => {
        const unpacked = undo.use(await contenders.berth('berth, layers unpacked', { kind: 'directories' }));
        const subjects = await Promise.all([...engines, unpacked].map((engine) => readingsOf(engine, undo)));
        return subjects.flat();
      },
    },
  ];
}

/** The image is removed again outside of the time. */
function pullOf({ name, pull, time, reference }: Contender, image: string): Subject {
  const measure = async () => {
    const tookMs = await pull(reference(image));
    await time('rmi', reference(image));
    return tookMs;
  };
  return { name, measure };
}

/** The same without a command line: what of a pull is the engine's. */
function socketPullOf(engine: Daemon, image: string): Subject {
  const { client, reference } = engine;
  const pull = async () => {
    const startedMs = performance.now();
    const lines = pullImage(client, { image: reference(image), signal: new AbortController().signal });
    for await (const _ of lines);
    return performance.now() - startedMs;
  };
  return { ...pullOf({ ...engine, pull }, image), name: `${engine.name}, over the socket` };
}

function removalOf({ name, pull, time, reference }: Contender): Subject {
  const measure = async () => {
    await pull(reference(BENCH_IMAGE));
    execFileSync('sync');
    return await time('rmi', reference(BENCH_IMAGE));
  };
  return { name, measure };
}

/** The image has no programs of its own: busybox is the machine's, which is static. */
async function readingsOf(
  { name, pull, time, reference }: Contender,
  undo: AsyncDisposableStack,
): Promise<readonly Subject[]> {
  const container = 'bench-read';
  const image = reference(BENCH_IMAGE);
  await pull(image);
  undo.defer(async () => void (await time('rmi', image)));
  await time(
    'run',
    '-d',
    '--name',
    container,
    '-v',
    '/bin:/host:ro',
    image,
    '/host/busybox',
    'sleep',
    '100000',
  );
  undo.defer(async () => void (await time('rm', '-f', container)));
  const read = () =>
    time(
      'exec',
      container,
      '/host/busybox',
      'sh',
      '-c',
      '/host/busybox find /usr -type f -exec /host/busybox cat {} + > /dev/null',
    );
  const cold = async () => {
    execFileSync('sync');
    writeFileSync('/proc/sys/vm/drop_caches', '3');
    return await read();
  };
  // Each cold one is right before its warm one.
  return [
    { name: `${name}, cold`, measure: cold },
    { name: `${name}, warm`, measure: read },
  ];
}

export type StoreRow = {
  readonly name: string;
  /** Times of `_ping` during the pull, in milliseconds. */
  readonly pingMs?: readonly number[];
  readonly peakBytes?: number;
  readonly diskBytes: number;
};

/** What a pull of the large image does to an engine, and to the disk. Of one without a daemon, the disk alone. */
export async function measureStore(engines: readonly Contender[]): Promise<readonly StoreRow[]> {
  const rows: StoreRow[] = [];
  for (const { name, client, processes, pull, time, reference, storage } of engines) {
    const image = reference(BENCH_IMAGE);
    const before = diskUse(storage);
    for (const pid of processes()) writeFileSync(`/proc/${pid}/clear_refs`, '5');
    const pingMs: number[] = [];
    let pulling = true;
    const pings = async () => {
      while (pulling && client !== undefined) {
        const startedMs = performance.now();
        (await client.bytes('ping', {})).resume();
        pingMs.push(performance.now() - startedMs);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    };
    const pinging = pings();
    await pull(image);
    pulling = false;
    await pinging;
    const diskBytes = diskUse(storage) - before;
    const ofDaemon = client === undefined ? {} : { pingMs, peakBytes: peakOf(processes()) };
    rows.push({ name, diskBytes, ...ofDaemon });
    await time('rmi', image);
  }
  return rows;
}

/** Bytes in blocks, each file once. */
function diskUse(directory: string): number {
  execFileSync('sync');
  return Number(execFileSync('du', ['-sx', '-B1', directory], { encoding: 'utf8' }).split('\t')[0]);
}

/** The most memory that processes had at a time, each for itself, since their mark was reset. */
function peakOf(pids: readonly number[]): number {
  const kib = pids.map((pid) =>
    Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0),
  );
  return kib.reduce((sum, each) => sum + each, 0) * 1024;
}
