import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { tempRoot } from '../../workshop/testing/temp.ts';
import { openTerminal, type TestTerminal } from '../../workshop/testing/terminal.ts';
import { startCrowd } from './crowd.ts';
import { buildDashboard, dashboardCommand } from './dashboard.ts';

/**
 * Measures the dashboard in a pseudo-terminal of 120 by 40: `node tui/testing/measure.ts`. Times are those of
 * the whole way: a key written to the terminal until the first byte comes back.
 */

const KEYS = 160;
/** Down far enough for the list to scroll, and back. */
const WALK = [...Array<string>(40).fill('j'), ...Array<string>(40).fill('k')];

function quantile(values: readonly number[], share: number): string {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(1);
}

const say = (name: string, value: string) => process.stdout.write(`${name.padEnd(52)} ${value}\n`);

async function keyTimes(terminal: TestTerminal, keys: readonly string[], count = KEYS) {
  const times: number[] = [];
  const before = terminal.output().bytes;
  for (let index = 0; index < count; index += 1) {
    const written = terminal.nextWrite();
    const sentAtMs = performance.now();
    terminal.send(keys[index % keys.length] ?? '');
    // Two keys in one frame may undo each other: then nothing is written.
    const writtenAtMs = await Promise.race([written, delay(1000, undefined)]);
    if (writtenAtMs !== undefined) times.push(writtenAtMs - sentAtMs);
    // Let the frame end, and the selection rest or not as it would under a held key.
    await delay(35);
  }
  return { times, bytesPerKey: Math.round((terminal.output().bytes - before) / count) };
}

function report(name: string, { times, bytesPerKey }: Awaited<ReturnType<typeof keyTimes>>): void {
  const text = `p50 ${quantile(times, 0.5)} ms, p95 ${quantile(times, 0.95)} ms, ${bytesPerKey} bytes a key`;
  say(name, text);
}

async function cpuMs(pid: number): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).replace(/^.*\) /, '').split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

async function rssMb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024);
}

await buildDashboard();
for (const count of [100, 1000]) {
  await using root = await tempRoot('measure');
  await using crowd = await startCrowd({ socketPath: root.join('api.sock'), count });
  const firstFrame: number[] = [];
  const firstData: number[] = [];
  for (let run = 0; run < 5; run += 1) {
    const startedMs = performance.now();
    await using terminal = openTerminal({ command: dashboardCommand(crowd.host) });
    await terminal.waitFor('1 Containers');
    firstFrame.push(performance.now() - startedMs);
    await terminal.waitFor('service-0 ');
    firstData.push(performance.now() - startedMs);
  }
  await using terminal = openTerminal({ command: dashboardCommand(crowd.host) });
  await terminal.waitFor('service-0 ');
  say(`${count} containers: first frame`, `${quantile(firstFrame, 0.5)} ms`);
  say(`${count} containers: first data`, `${quantile(firstData, 0.5)} ms`);
  await delay(500);
  report(`${count} containers: key j`, await keyTimes(terminal, WALK));
  report(`${count} containers: page down and up`, await keyTimes(terminal, ['\x04', '\x15']));
  terminal.send('/');
  await delay(200);
  report(`${count} containers: key in the filter`, await keyTimes(terminal, ['4', '2', '\x7f', '\x7f'], 100));
  terminal.send('\x1b');
  await delay(1000);
  const before = {
    bytes: terminal.output().bytes,
    requests: crowd.requests(),
    cpu: await cpuMs(terminal.pid),
  };
  await delay(10_000);
  say(
    `${count} containers: idle for 10 s`,
    `${terminal.output().bytes - before.bytes} bytes, ${crowd.requests() - before.requests} requests, ` +
      `${(((await cpuMs(terminal.pid)) - before.cpu) / 100).toFixed(1)} % of a core, ${await rssMb(terminal.pid)} MB`,
  );
  if (count !== 1000) continue;

  const line = (number: number) => `2026-01-01T00:00:00.000000000Z line ${number} ${'x'.repeat(180)}\n`;
  const startMb = await rssMb(terminal.pid);
  let sent = 0;
  const pour = async (perSecond: number, seconds: number) => {
    const endMs = performance.now() + seconds * 1000;
    while (performance.now() < endMs) {
      let text = '';
      for (let index = 0; index < perSecond / 50; index += 1) {
        sent += 1;
        text += line(sent);
      }
      crowd.writeLog(text);
      await delay(20);
    }
  };
  const poured = pour(20_000, 10);
  await delay(500);
  report('20,000 lines a second: key', await keyTimes(terminal, ['?', '?'], 150));
  await poured;
  const lastSentMs = performance.now();
  await terminal.waitFor(`line ${sent} `, { timeoutMs: 20_000 }).catch(() => undefined);
  say(
    '  after it: lag to the last line',
    `${(performance.now() - lastSentMs).toFixed(0)} ms for ${sent} lines`,
  );
  say('  after it: memory', `${await rssMb(terminal.pid)} MB, was ${startMb} MB`);
}
