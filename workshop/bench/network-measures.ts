import { writeFile } from 'node:fs/promises';
import { joinHosts, makeHost } from '../testing/hosts.ts';
import { tempRoot } from '../testing/temp.ts';
import type { Contender } from './contenders.ts';
import { isDaemon, type Measure, timeLife } from './measures.ts';
import { outputOf, type Program } from './program.ts';
import { formatTime, median } from './statistics.ts';

/** What is measured of networks: what one costs a start, and what gets through. */

/** Many short ones: the machine's own pace changes from second to second. */
const ROUNDS = 12;
const SECONDS = 1;
const THROUGHPUT_PORT = 5201;
const WEB_PORT = 8080;
/** Of documentation's addresses (RFC 5737): each engine's host and its neighbour are alone. */
const [HOST, NEIGHBOUR] = ['192.0.2.1', '192.0.2.2'];

/** Runs a program where the packets are to start. */
type Runner = (...command: readonly string[]) => Promise<string>;

/** What got through on one way, each a series of rounds. */
export type TrafficRow = {
  readonly way: string;
  readonly name: string;
  readonly bitsPerSecond: number[];
  readonly requestsPerSecond: number[];
  readonly medianMs: number[];
  readonly p99Ms: number[];
};

/** A start with a network, and with none: what it costs is the difference. */
export function networkMeasures({ engines }: { readonly engines: readonly Contender[] }): readonly Measure[] {
  return [
    {
      word: 'network',
      title: '`run --rm busybox true` on the default bridge, and with `--network none`',
      rounds: 20,
      warmUp: 2,
      subjects: async () =>
        engines.flatMap(({ name, time, busybox }) => [
          { name, measure: () => time('run', '--rm', busybox, 'true') },
          {
            name: `${name}, \`none\``,
            measure: () => time('run', '--rm', '--network', 'none', busybox, 'true'),
          },
        ]),
    },
    {
      word: 'network',
      title: 'create, start, wait and remove over the socket, on the default bridge and on none',
      rounds: 30,
      warmUp: 2,
      subjects: async () =>
        engines.filter(isDaemon).flatMap(({ name, client, busybox }) => [
          { name, measure: () => timeLife(client, busybox) },
          { name: `${name}, \`none\``, measure: () => timeLife(client, busybox, { network: ['none'] }) },
        ]),
    },
  ];
}

/** Throughput of one TCP connection (iperf3), and requests to a web server (wrk, nginx), on each way, in turns. */
export async function measureTraffic(engines: readonly Contender[]): Promise<readonly TrafficRow[]> {
  await using undo = new AsyncDisposableStack();
  const rows: { readonly row: TrafficRow; readonly run: Runner; readonly to: string }[] = [];
  for (const engine of engines) {
    for (const { way, run, to } of await waysOf(engine, undo)) {
      const series = { bitsPerSecond: [], requestsPerSecond: [], medianMs: [], p99Ms: [] };
      rows.push({ row: { way, name: engine.name, ...series }, run, to });
    }
  }
  const inOrder = Object.values(Object.groupBy(rows, ({ row }) => row.way)).flatMap((of = []) => of);
  for (let round = 0; round < ROUNDS; round += 1) {
    // Each is as often before as after each other.
    for (const { row, run, to } of round % 2 === 0 ? inOrder : inOrder.toReversed()) {
      row.bitsPerSecond.push(await throughput(run, to));
      const { requestsPerSecond, medianMs, p99Ms } = await requests(run, to);
      row.requestsPerSecond.push(requestsPerSecond);
      row.medianMs.push(medianMs);
      row.p99Ms.push(p99Ms);
    }
  }
  return inOrder.map(({ row }) => row);
}

/** Starts a server and a client on a network of their own, and gives the ways to the server. */
async function waysOf(
  { output, time, busybox, onHost }: Contender,
  undo: AsyncDisposableStack,
): Promise<readonly { readonly way: string; readonly run: Runner; readonly to: string }[]> {
  const root = undo.use(await tempRoot('bench-network'));
  await writeFile(root.join('nginx.conf'), webServer);
  await time('network', 'create', 'bench-traffic');
  undo.defer(async () => void (await time('network', 'rm', 'bench-traffic')));
  const start = async (name: string, ...args: readonly string[]) => {
    const on = ['--name', name, '--network', 'bench-traffic', ...hostPrograms(root.path)];
    await time('run', '-d', ...on, ...args);
    undo.defer(async () => void (await time('rm', '-f', name)));
  };
  const published = [THROUGHPUT_PORT, WEB_PORT].flatMap((port) => ['-p', `${port}:${port}`]);
  const serve = `iperf3 -s > /dev/null & exec ${NGINX} -c /bench/nginx.conf`;
  await start('bench-server', ...published, busybox, 'sh', '-c', serve);
  await start('bench-client', busybox, 'sleep', '100000');
  const format = '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}';
  const address = (await output('inspect', '--format', format, 'bench-server')).trim();

  const host: Runner = (...command) => outputOf([...onHost, ...command]);
  const neighbour = undo.use(await makeHost(root.join('neighbour')));
  const from = { path: '', run: host, [Symbol.asyncDispose]: async () => {} };
  await joinHosts({ from, to: neighbour, here: [`${HOST}/24`], there: [`${NEIGHBOUR}/24`] });
  const client: Runner = (...command) => output('exec', 'bench-client', ...command);
  const ways = [
    { way: 'from container to container on a network of their own', run: client, to: address },
    { way: "from the host's loopback to a published port", run: host, to: '127.0.0.1' },
    { way: "from the host to a published port of the host's own address", run: host, to: HOST },
    { way: 'from another host to a published port', run: neighbour.run, to: HOST },
  ];
  for (const { run, to } of ways) await answers(run, to);
  return ways;
}

const NGINX = '/var/cache/berth/unpacked/usr/sbin/nginx';

/** One process that answers from memory: what is measured is the way to it. */
const webServer = `
daemon off;
worker_processes 1;
user root;
pid /tmp/nginx.pid;
error_log stderr;
events { worker_connections 1024; }
http {
  access_log off;
  keepalive_requests 1000000000;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path /tmp/${kind};`).join('\n  ')}
  server {
    listen ${WEB_PORT};
    location / { return 200 "hello\\n"; }
  }
}
`;

/** Flags of `run` that give a container the host's programs, and a directory as /bench. */
export function hostPrograms(directory: string): readonly string[] {
  const shared = ['/usr', '/lib', '/lib64', '/var/cache/berth/unpacked'];
  return [...shared.flatMap((path) => ['-v', `${path}:${path}:ro`]), '-v', `${directory}:/bench`];
}

/** Waits until both servers answer. Throws what the last attempt said. */
async function answers(run: Runner, to: string): Promise<void> {
  for (const attempt of [
    () => throughput(run, to, 1),
    () => run('wrk', '-t1', '-c1', '-d1s', `http://${to}:${WEB_PORT}/`),
  ]) {
    for (let left = 20; ; left -= 1) {
      try {
        await attempt();
        break;
      } catch (error) {
        if (left === 0) throw error;
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    }
  }
}

/** Bits of one TCP connection that arrived in a second. */
async function throughput(run: Runner, to: string, seconds = SECONDS): Promise<number> {
  const command: Program = ['iperf3', '-J', '-t', String(seconds), '-c', to, '-p', String(THROUGHPUT_PORT)];
  const { end } = JSON.parse(await run(...command)) as {
    readonly end: { readonly sum_received: { readonly bits_per_second: number } };
  };
  return end.sum_received.bits_per_second;
}

/** Requests over 16 connections that stay open. */
async function requests(run: Runner, to: string) {
  const text = await run('wrk', '-t1', '-c16', `-d${SECONDS}s`, '--latency', `http://${to}:${WEB_PORT}/`);
  if (/Socket errors|Non-2xx/.test(text)) throw new Error(text);
  const found = (pattern: RegExp) => pattern.exec(text);
  const latency = (part: string) => {
    const [, value, unit = 's'] = found(new RegExp(`^\\s+${part}%\\s+([\\d.]+)(us|ms|s)$`, 'm')) ?? [];
    return Number(value) * ({ us: 0.001, ms: 1 }[unit] ?? 1_000);
  };
  return {
    requestsPerSecond: Number(found(/^Requests\/sec:\s+([\d.]+)$/m)?.[1]),
    medianMs: latency('50'),
    p99Ms: latency('99'),
  };
}

const gigabits = (bits: number) => `${(bits / 1e9).toFixed(1)} Gbit/s`;
const whole = (count: number) => Math.round(count).toLocaleString('en');

/** A table for each way; ratios are of medians, and say how much more than the first one another gets through. */
export function trafficTables(rows: readonly TrafficRow[]): readonly string[] {
  return Object.entries(Object.groupBy(rows, ({ way }) => way)).map(([way, of = []]) => {
    const [first] = of;
    const ratio = (series: readonly number[], own: readonly number[] = []) =>
      (median(series) / median(own)).toFixed(2);
    const lines = of.map((row) => {
      const cells = [
        row.name,
        gigabits(median(row.bitsPerSecond)),
        gigabits(Math.max(...row.bitsPerSecond)),
        ratio(row.bitsPerSecond, first?.bitsPerSecond),
        whole(median(row.requestsPerSecond)),
        whole(Math.max(...row.requestsPerSecond)),
        ratio(row.requestsPerSecond, first?.requestsPerSecond),
        formatTime(median(row.medianMs)),
        formatTime(median(row.p99Ms)),
      ];
      return `| ${cells.join(' | ')} |`;
    });
    const times = `times ${first?.name}`;
    const columns = [
      ...['one TCP connection: median', 'most', times, 'requests a second: median', 'most', times],
      ...['a request takes: median', '99 %'],
    ];
    const head = `| | ${columns.join(' | ')} |\n| --- |${' ---: |'.repeat(columns.length)}`;
    return `### What gets through ${way} (iperf3; wrk and nginx)\n\n${[head, ...lines].join('\n')}`;
  });
}
