import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { stdout, version } from 'node:process';
import { type Contender, contenders } from './bench/contenders.ts';
import { bareProgram, bareRuntime, bareTransfer, type Limit } from './bench/limits.ts';
import { fillStorage } from './bench/registry.ts';
import { formatTime, median } from './bench/statistics.ts';
import { ROOT } from './sources.ts';

/**
 * `npm run bench`: `run --rm IMAGE true`, and a cold pull of 6 layers, on this engine, dockerd and podman, taking
 * turns in one run. Writes docs/benchmarks.md.
 */

const RUN_ROUNDS = 20;
const PULL_ROUNDS = 3;
const WARM_UP_ROUNDS = 2;

type Subject = { readonly name: string; readonly measure: () => Promise<number> };
type Result = { readonly title: string; readonly rows: ReadonlyMap<string, readonly number[]> };

/** Subjects take turns, so that what else goes on in the machine hits all of them alike. */
async function measureInTurns(options: {
  readonly title: string;
  readonly subjects: readonly Subject[];
  readonly rounds: number;
  readonly warmUp: number;
}): Promise<Result> {
  const rows = new Map<string, number[]>(options.subjects.map(({ name }) => [name, []]));
  for (let round = -options.warmUp; round < options.rounds; round += 1) {
    for (const { name, measure } of options.subjects) {
      // What the one before has left to be written is not this one's to wait for.
      execFileSync('sync');
      const tookMs = await measure();
      if (round >= 0) rows.get(name)?.push(tookMs);
    }
    if (stdout.isTTY)
      stdout.write(`\r${options.title}: round ${Math.max(0, round + 1)} of ${options.rounds}`);
  }
  if (stdout.isTTY) stdout.write('\r\x1b[K');
  return { title: options.title, rows };
}

/** A Markdown table; the ratio is of medians, and says how many times as long as Berth another takes. */
function tableOf({ title, rows }: Result): string {
  const own = median(rows.get('berth') ?? []);
  const lines = [...rows].map(([name, series]) => {
    const ratio = name === 'berth' ? '1' : (median(series) / own).toFixed(2);
    const times = [median(series), Math.min(...series), Math.max(...series)].map(formatTime);
    return `| ${name} | ${times.join(' | ')} | ${ratio} |`;
  });
  const head = `### ${title}\n\n| | median | least | most | times Berth's |\n| --- | ---: | ---: | ---: | ---: |`;
  return [head, ...lines].join('\n');
}

function machineFacts(versions: readonly string[]): readonly string[] {
  const distribution = /^PRETTY_NAME="(.*)"$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1];
  const cgroup = execFileSync('stat', ['-fc', '%T', '/sys/fs/cgroup'], { encoding: 'utf8' }).trim();
  const fileSystem = execFileSync('df', ['--output=fstype', '/tmp'], { encoding: 'utf8' })
    .split('\n')[1]
    ?.trim();
  return [
    new Date().toISOString().slice(0, 10),
    `${cpus()[0]?.model.trim()}, ${availableParallelism()} processors, ${Math.round(totalmem() / 2 ** 30)} GiB`,
    `${distribution}, Linux ${release()}, ${fileSystem}, cgroups ${cgroup === 'cgroup2fs' ? 'v2' : 'v1 or hybrid'}`,
    `Node ${version}`,
    ...versions,
  ];
}

await fillStorage((what) => stdout.write(`${what}\n`));
await using undo = new AsyncDisposableStack();
const engines: Contender[] = [];
for (const start of Object.values(contenders)) {
  const started = await start();
  if (typeof started === 'string') stdout.write(`left out, ${started}\n`);
  else engines.push(undo.use(started));
}
const limits: readonly Limit[] = [bareProgram(), await bareRuntime()];
for (const limit of limits) undo.use(limit);
const transfer = undo.use(await bareTransfer());

const results = [
  await measureInTurns({
    title: '`run --rm IMAGE true`',
    subjects: [...engines.map(({ name, run }) => ({ name, measure: run })), ...limits],
    rounds: RUN_ROUNDS,
    warmUp: WARM_UP_ROUNDS,
  }),
  await measureInTurns({
    title: 'Pull of 6 layers, 60,000 files, 550 MB (330 MB compressed)',
    subjects: [...engines.map(({ name, pull }) => ({ name, measure: pull })), transfer],
    rounds: PULL_ROUNDS,
    warmUp: 0,
  }),
];
const facts = machineFacts(engines.map(({ name, version: itsVersion }) => `${name} ${itsVersion}`));
const text = `# Benchmarks

Written by \`npm run bench\`: every engine through its own command line, taking turns in one run on one machine, each
with a registry on its own loopback. \`docker\` drives dockerd; podman runs without its service. Below them stands
what the same machine takes for the bare work. The pull is cold: the image is removed before the next round.
Where least and most lie far apart, the machine's disk was uneven: compare the least as well.

${facts.map((fact) => `- ${fact}`).join('\n')}

${results.map(tableOf).join('\n\n')}
`;
stdout.write(`\n${text.slice(text.indexOf('- '))}`);
writeFileSync(join(ROOT, 'docs/benchmarks.md'), text);
stdout.write('\nwritten to docs/benchmarks.md\n');
