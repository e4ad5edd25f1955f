import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { argv, stdout, version } from 'node:process';
import { type Contender, contenders } from './bench/contenders.ts';
import { dnsTable, measureDns } from './bench/dns-measures.ts';
import { imageMeasures, measureStore } from './bench/image-measures.ts';
import { bareProgram, bareRuntime, bareTransfer } from './bench/limits.ts';
import { lifeMeasures, type Measure, measureMemory } from './bench/measures.ts';
import { measureTraffic, networkMeasures, trafficTables } from './bench/network-measures.ts';
import { fillStorage } from './bench/registry.ts';
import { formatTime, median, quantile } from './bench/statistics.ts';
import { ROOT } from './sources.ts';

/**
 * `npm run bench`: containers and images on this engine, dockerd and podman, taking turns in one run. Writes
 * docs/benchmarks.md. `npm run bench -- run exec` measures only those, and writes nothing.
 */

const chosen = argv.slice(2);
const wanted = (word: string) => chosen.length === 0 || chosen.includes(word);

/** Measures everything of a measure in turns, so that what else goes on in the machine hits all alike. */
async function measureInTurns(measure: Measure): Promise<string> {
  await using undo = new AsyncDisposableStack();
  const subjects = await measure.subjects(undo);
  const rows = new Map<string, number[]>(subjects.map(({ name }) => [name, []]));
  for (let round = -measure.warmUp; round < measure.rounds; round += 1) {
    for (const subject of subjects) {
      // What the one before has left to be written is not this one's to wait for.
      execFileSync('sync');
      const tookMs = await subject.measure();
      if (round >= 0) rows.get(subject.name)?.push(tookMs);
    }
    if (stdout.isTTY)
      stdout.write(`\r${measure.title}: round ${Math.max(0, round + 1)} of ${measure.rounds}`);
  }
  if (stdout.isTTY) stdout.write('\r\x1b[K');
  return timeTable(measure.title, rows);
}

/** A Markdown table; the ratio is of medians, and says how many times as long as the first one another takes. */
function timeTable(title: string, rows: ReadonlyMap<string, readonly number[]>): string {
  const [first = '', own = []] = rows.entries().next().value ?? [];
  const lines = [...rows].map(([name, series]) => {
    const times = [median(series), Math.min(...series), Math.max(...series)].map(formatTime);
    return `| ${name} | ${times.join(' | ')} | ${(median(series) / median(own)).toFixed(2)} |`;
  });
  const head = `| | median | least | most | times ${first} |\n| --- | ---: | ---: | ---: | ---: |`;
  return `### ${title}\n\n${[head, ...lines].join('\n')}`;
}

function memoryTable(rows: Awaited<ReturnType<typeof measureMemory>>): string {
  const size = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
  const lines = rows.map(({ name, idle, busy }) => `| ${name} | ${size(idle)} | ${size(busy)} |`);
  const head = '| | idle | with 100 containers |\n| --- | ---: | ---: |';
  return `### Memory (PSS) of the engine and of what watches its containers\n\n${[head, ...lines].join('\n')}`;
}

function storeTable(rows: Awaited<ReturnType<typeof measureStore>>): string {
  const size = (bytes: number | undefined) =>
    bytes === undefined ? '–' : `${(bytes / 2 ** 20).toFixed(0)} MiB`;
  const lines = rows.map(({ name, pingMs, peakBytes, diskBytes }) => {
    const pings =
      pingMs === undefined ? '–' : [0.5, 0.99].map((part) => formatTime(quantile(pingMs, part))).join(', ');
    return `| ${name} | ${pings} | ${size(peakBytes)} | ${size(diskBytes)} |`;
  });
  const head = '| | `_ping`: median, 99 % | peak memory | on disk after |\n| --- | ---: | ---: | ---: |';
  return `### While the large image is pulled, and after\n\n${[head, ...lines].join('\n')}`;
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
const berth = undo.use(await contenders.berth());
engines.push(berth);
for (const start of [contenders.dockerd, contenders.podman]) {
  const started = await start();
  if (typeof started === 'string') stdout.write(`left out, ${started}\n`);
  else engines.push(undo.use(started));
}
const limits = {
  bareProgram: undo.use(bareProgram()),
  bareRuntime: undo.use(await bareRuntime(berth)),
};
const transfer = undo.use(await bareTransfer());

const tables: string[] = [];
const tell = (table: string) => {
  tables.push(table);
  stdout.write(`\n${table}\n`);
};
for (const measure of [
  ...lifeMeasures({ engines, ...limits }),
  ...networkMeasures({ engines }),
  ...imageMeasures({ engines, transfer }),
])
  if (wanted(measure.word)) tell(await measureInTurns(measure));
if (wanted('traffic')) for (const table of trafficTables(await measureTraffic(engines))) tell(table);
if (wanted('dns')) tell(dnsTable(await measureDns(engines)));
if (wanted('store')) tell(storeTable(await measureStore(engines)));
if (wanted('memory')) tell(memoryTable(await measureMemory(engines)));

const facts = machineFacts(engines.map(({ name, version: itsVersion }) => `${name} ${itsVersion}`));
const text = `# Benchmarks

Written by \`npm run bench\`: every engine through its own command line where nothing else is said, taking turns in one
run on one machine, each with a registry on its own loopback. \`docker\` drives dockerd; podman runs without its
service. Below them stands what the same machine takes for the bare work. A pull is cold: the image is removed before
the next round. Where least and most lie far apart, the machine was uneven: compare the least as well.

${facts.map((fact) => `- ${fact}`).join('\n')}

${tables.join('\n\n')}
`;
if (chosen.length === 0) {
  writeFileSync(join(ROOT, 'docs/benchmarks.md'), text);
  stdout.write('\nwritten to docs/benchmarks.md\n');
}
