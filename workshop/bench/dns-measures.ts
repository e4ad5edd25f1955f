import { readFileSync, writeFileSync } from 'node:fs';
import { tempRoot } from '../testing/temp.ts';
import type { Contender } from './contenders.ts';
import { isDaemon } from './measures.ts';
import { hostPrograms } from './network-measures.ts';
import { formatTime, median, quantile } from './statistics.ts';

/** The engines' own name servers, asked by a container of the names of others on its network. */

const ROUNDS = 3;
const SECONDS = 5;
const QUERIES_PER_SECOND = 10_000;
const NAMES = 50;

export type DnsRow = {
  readonly name: string;
  /** What else the engine does meanwhile. */
  readonly beside: string;
  /** Each a series of rounds. */
  readonly answersPerSecond: number[];
  readonly lostPart: number[];
  readonly medianMs: number[];
  readonly p99Ms: number[];
};

type Work = (engine: Contender) => Promise<unknown>;

/** Podman is left out where it brings no name server. */
export async function measureDns(engines: readonly Contender[]): Promise<readonly DnsRow[]> {
  await using undo = new AsyncDisposableStack();
  const root = undo.use(await tempRoot('bench-dns'));
  const names = Array.from({ length: NAMES }, (_none, index) => `name-${index}`);
  writeFileSync(root.join('names'), names.map((name) => `${name} A\n`).join(''));
  const works: Readonly<Record<string, Work | undefined>> = {
    nothing: undefined,
    'containers that come and go': ({ time, busybox }) => time('run', '--rm', busybox, 'true'),
  };
  const rows: { readonly row: DnsRow; readonly engine: Contender; readonly work: Work | undefined }[] = [];
  for (const engine of engines.filter(isDaemon)) {
    const { time, busybox } = engine;
    await time('network', 'create', 'bench-names');
    undo.defer(async () => void (await time('network', 'rm', 'bench-names')));
    const start = async (name: string, ...flags: readonly string[]) => {
      await time(
        'run',
        '-d',
        '--name',
        name,
        '--network',
        'bench-names',
        ...flags,
        busybox,
        'sleep',
        '100000',
      );
      undo.defer(async () => void (await time('rm', '-f', name)));
    };
    await start('bench-named', ...names.flatMap((name) => ['--network-alias', name]));
    await start('bench-asking', '--cap-add', 'SYS_NICE', ...hostPrograms(root.path));
    for (const [beside, work] of Object.entries(works)) {
      const series = { answersPerSecond: [], lostPart: [], medianMs: [], p99Ms: [] };
      rows.push({ row: { name: engine.name, beside, ...series }, engine, work });
    }
  }
  const inOrder = Object.values(Object.groupBy(rows, ({ row }) => row.beside)).flatMap((of = []) => of);
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const { row, engine, work } of inOrder) {
      let asking = true;
      const busy = async () => {
        while (asking && work !== undefined) await work(engine);
      };
      const working = busy();
      const log = root.join('answers');
      try {
        // Whoever asks goes first: the times are of the one who answers.
        const ask = `nice -n -15 dnsperf -s 127.0.0.11 -d /bench/names -Q ${QUERIES_PER_SECOND} -q 1000 -l ${SECONDS} -v`;
        await engine.time('exec', 'bench-asking', 'sh', '-c', `${ask} > /bench/answers`);
      } finally {
        asking = false;
        await working;
      }
      addRound(row, readFileSync(log, 'utf8'));
    }
  }
  return inOrder.map(({ row }) => row);
}

/** Reads what dnsperf says of each question (`> NOERROR name-1 A 0.000123`), and of all. */
function addRound(row: DnsRow, text: string): void {
  const answered = [...text.matchAll(/^> NOERROR \S+ A ([\d.]+)$/gm)].map(
    (match) => Number(match[1]) * 1_000,
  );
  const sent = Number(/Queries sent:\s+(\d+)/.exec(text)?.[1]);
  const seconds = Number(/Run time \(s\):\s+([\d.]+)/.exec(text)?.[1]);
  row.answersPerSecond.push(answered.length / seconds);
  row.lostPart.push(1 - answered.length / sent);
  row.medianMs.push(median(answered));
  row.p99Ms.push(quantile(answered, 0.99));
}

export function dnsTable(rows: readonly DnsRow[]): string {
  const lines = rows.map((row) => {
    const cells = [
      row.name,
      row.beside,
      Math.round(median(row.answersPerSecond)).toLocaleString('en'),
      `${(median(row.lostPart) * 100).toFixed(2)} %`,
      formatTime(median(row.medianMs)),
      formatTime(median(row.p99Ms)),
      formatTime(Math.max(...row.p99Ms)),
    ];
    return `| ${cells.join(' | ')} |`;
  });
  const head =
    '| | beside | answers a second | lost | median | 99 % | 99 % of the worst round |\n| --- | --- | ---: | ---: | ---: | ---: | ---: |';
  const asked = QUERIES_PER_SECOND.toLocaleString('en');
  return `### Names of other containers, ${asked} questions a second from within a container (dnsperf)\n\n${[head, ...lines].join('\n')}`;
}
