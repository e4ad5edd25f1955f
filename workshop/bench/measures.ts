import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createBody } from '../../engine/api/create.ts';
import type { Client } from '../../engine/client/index.ts';
import type { Contender } from './contenders.ts';
import type { Limit } from './limits.ts';

/** Something that takes time, measured over and over. Its names are rows of a table; the first is compared with. */
export type Subject = { readonly name: string; readonly measure: () => Promise<number> };

export type Measure = {
  /** The word that chooses it on the command line. */
  readonly word: string;
  readonly title: string;
  readonly rounds: number;
  readonly warmUp: number;
  /** Made right before it is measured, and taken away after. */
  readonly subjects: (undo: AsyncDisposableStack) => Promise<readonly Subject[]>;
};

const PARALLEL = 50;
const STOPPED = 1_000;
const PS_ROUNDS = 20;
const PS_WARM_UP = 2;
/** One list over the socket is too short to be measured. */
const LISTS = 20;
const RUNNING = 100;
/** How many requests an engine is given at once while containers are made for a measurement. */
const AT_ONCE = 8;

/** What is measured of the life of containers. */
export function lifeMeasures(options: {
  readonly engines: readonly Contender[];
  readonly bareProgram: Limit;
  readonly bareRuntime: Limit;
}): readonly Measure[] {
  const { engines, bareProgram, bareRuntime } = options;
  const daemons = engines.filter(isDaemon);
  return [
    {
      word: 'run',
      title: '`run --rm busybox true`, by its own command line',
      rounds: 20,
      warmUp: 2,
      subjects: async () => [
        ...engines.map(({ name, time, busybox }) => ({
          name,
          measure: () => time('run', '--rm', busybox, 'true'),
        })),
        bareRuntime,
        bareProgram,
      ],
    },
    {
      word: 'life',
      title: 'create, start, wait and remove over the socket',
      rounds: 30,
      warmUp: 2,
      subjects: async () => [
        ...daemons.map(({ name, client, busybox }) => ({ name, measure: () => timeLife(client, busybox) })),
        bareRuntime,
      ],
    },
    {
      word: 'parallel',
      title: `${PARALLEL} times \`run --rm busybox true\` at once`,
      rounds: 2,
      warmUp: 0,
      subjects: async () =>
        engines.map(({ name, time, busybox }) => ({
          name,
          measure: () =>
            timed(() =>
              Promise.all(Array.from({ length: PARALLEL }, () => time('run', '--rm', busybox, 'true'))),
            ),
        })),
    },
    {
      word: 'exec',
      title: '`exec CONTAINER true`',
      rounds: 20,
      warmUp: 2,
      subjects: async (undo) => {
        for (const { time, busybox } of engines) {
          await time('run', '-d', '--name', 'bench-exec', busybox, 'sleep', '100000');
          undo.defer(async () => void (await time('rm', '-f', 'bench-exec')));
        }
        return engines.map(({ name, time }) => ({ name, measure: () => time('exec', 'bench-exec', 'true') }));
      },
    },
    {
      word: 'ps',
      title: `\`ps\` with ${STOPPED.toLocaleString('en')} containers that do not run, and with none`,
      rounds: PS_ROUNDS,
      warmUp: PS_WARM_UP,
      subjects: async (undo) => {
        const asked = daemons.flatMap(({ name, time, client }) => [
          { name, measure: () => time('ps') },
          {
            name: `${name}, ${LISTS} times over the socket`,
            measure: () => timed(() => inTurn(LISTS, () => client.call('containerList', {}))),
          },
        ]);
        // With none first, in turns of their own.
        const before = asked.map(({ name }) => ({ name: `${name}, with none`, series: [] as number[] }));
        for (let round = 0; round < PS_WARM_UP + PS_ROUNDS; round += 1) {
          for (const [index, { measure }] of asked.entries()) {
            execFileSync('sync');
            before[index]?.series.push(await measure());
          }
        }
        const subjectOf = ({ name, series }: (typeof before)[number]): Subject => ({
          name,
          measure: async () => series.shift() ?? Number.NaN,
        });
        for (const { client, busybox } of daemons) {
          const ids = await many(STOPPED, () => create(client, busybox, 'true'));
          undo.defer(() => removeAll(client, ids));
        }
        return asked.flatMap((subject, index) => [...before.slice(index, index + 1).map(subjectOf), subject]);
      },
    },
  ];
}

/** Resident memory of an engine with what watches its containers, in bytes: what it shares is counted in parts (PSS). */
export async function measureMemory(
  engines: readonly Contender[],
): Promise<readonly { readonly name: string; readonly idle: number; readonly busy: number }[]> {
  const rows: { name: string; idle: number; busy: number }[] = [];
  for (const engine of engines.filter(isDaemon)) {
    const { name, client, busybox, processes } = engine;
    const idle = memoryOf(processes());
    const ids = await many(RUNNING, async () => {
      const id = await create(client, busybox, 'sleep', '100000');
      await client.act('containerStart', { id });
      return id;
    });
    rows.push({ name, idle, busy: memoryOf(processes()) });
    await removeAll(client, ids);
  }
  return rows;
}

export type Daemon = Contender & { readonly client: Client };
export const isDaemon = (engine: Contender): engine is Daemon => engine.client !== undefined;

function memoryOf(pids: readonly number[]): number {
  const kib = pids.map((pid) =>
    Number(/^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0),
  );
  return kib.reduce((sum, each) => sum + each, 0) * 1024;
}

async function create(client: Client, image: string, ...command: readonly string[]): Promise<string> {
  return (await client.call('containerCreate', {}, { body: createBody(image, command, {}) })).Id;
}

/** Time of a container's life over the socket, in milliseconds; `more` in the words of `run`. */
export function timeLife(
  client: Client,
  image: string,
  more: Parameters<typeof createBody>[2] = {},
): Promise<number> {
  return timed(async () => {
    const body = createBody(image, ['true'], more);
    const { Id: id } = await client.call('containerCreate', {}, { body });
    await client.act('containerStart', { id });
    await client.call('containerWait', { id });
    await client.act('containerRemove', { id });
  });
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  await work();
  return performance.now() - startedMs;
}

async function inTurn(count: number, work: () => Promise<unknown>): Promise<void> {
  for (let done = 0; done < count; done += 1) await work();
}

async function many<T>(count: number, work: () => Promise<T>): Promise<readonly T[]> {
  const results: T[] = [];
  let begun = 0;
  const worker = async () => {
    while (begun < count) {
      begun += 1;
      results.push(await work());
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return results;
}

async function removeAll(client: Client, ids: readonly string[]): Promise<void> {
  const left = [...ids];
  await many(ids.length, async () => {
    await client.act('containerRemove', { id: left.pop() ?? '', force: true });
  });
}
