import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { globSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { mountsBelow } from './testing/temp.ts';

/**
 * Finds what a test run left behind on the machine. Only what belongs to this run counts, for others may share the
 * machine: its processes have BERTH_TEST_RUN in their environment, its directories, mounts and command lines have
 * `berth-test-<run>-` in them. What the kernel keeps of an engine (bridge, nftables, cgroup) is named after a hash of
 * the engine's root: it is a leftover where no engine of that root runs any more.
 */

export type Leftover = {
  readonly kind: 'process' | 'mount' | 'directory' | 'bridge' | 'nftables' | 'cgroup';
  readonly what: string;
};

/** A test run: its name, and what `recordMachine` said before it. */
export type TestRun = { readonly run: string; readonly before: ReadonlySet<string> };

type LeftProcess = { readonly pid: number; readonly command: string };

/** How long processes that were told to end may take. */
const GRACE_MS = 3_000;
const POLL_MS = 100;

/** Reads a file of /proc or /sys; what has gone meanwhile reads as nothing. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function link(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

/** The mounts that a process sees: proc_pid_mountinfo(5), whose fifth field is the mount point. */
function mounts(pid: string): readonly { readonly line: string; readonly point: string }[] {
  return read(`/proc/${pid}/mountinfo`)
    .split('\n')
    .map((line) => ({ line, point: line.split(' ')[4] ?? '' }));
}

/** The run's processes: they or their mounts carry its name. */
function leftProcesses(run: string): readonly LeftProcess[] {
  const ours = new Set([process.pid, process.ppid]);
  const mark = `berth-test-${run}-`;
  const hostMounts = link('/proc/self/ns/mnt');
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && !ours.has(Number(name)))
    .flatMap((pid) => {
      const command = read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim();
      const state = /\) ([A-Z]) /.exec(read(`/proc/${pid}/stat`))?.[1];
      if (command === '' || state === 'Z') return [];
      const belongs =
        command.includes(mark) ||
        `\0${read(`/proc/${pid}/environ`)}`.includes(`\0BERTH_TEST_RUN=${run}\0`) ||
        // A container: its root is an overlay of directories below the engine's. Other mounts say nothing: who
        // makes a mount namespace gets a copy of all that is mounted at the time.
        (link(`/proc/${pid}/ns/mnt`) !== hostMounts &&
          mounts(pid).some((mount) => mount.point === '/' && mount.line.includes(mark)));
      return belongs ? [{ pid: Number(pid), command }] : [];
    });
}

function leftMounts(run: string): readonly string[] {
  return mounts('self')
    .filter(({ line }) => line.includes(`berth-test-${run}-`))
    .map(({ point }) => point);
}

function leftDirectories(run: string): readonly string[] {
  return globSync(`berth-test-${run}-*`, { cwd: tmpdir() }).map((name) => join(tmpdir(), name));
}

/** `berth-<hash>`: the bridge, the table and the cgroup of an engine with a root of its own. */
const OWN_NAME = /\bberth-[0-9a-f]{8}\b/;

/** The names of engines that run now, whoever started them (engine/daemon/options.ts, engineSuffix). */
function liveNames(): ReadonlySet<string> {
  const roots = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => read(`/proc/${pid}/cmdline`).split('\0'))
    .flatMap((words) => (words.includes('--root') ? [words[words.indexOf('--root') + 1] ?? ''] : []));
  return new Set(roots.map((root) => `berth-${createHash('sha256').update(root).digest('hex').slice(0, 8)}`));
}

const bridges = (): readonly string[] => readdirSync('/sys/class/net');

function tables(): readonly string[] {
  const { stdout } = spawnSync('nft', ['list', 'tables'], { encoding: 'utf8' });
  return (stdout ?? '').split('\n').map((line) => line.replace(/^table /, ''));
}

/** Of every hierarchy: version 2, version 1, and both at once. */
const cgroups = (): readonly string[] => globSync('/sys/fs/cgroup/{,*/}*berth-*');

function kernelObjects(): readonly Leftover[] {
  return [
    ...bridges().map((what) => ({ kind: 'bridge' as const, what })),
    ...tables().map((what) => ({ kind: 'nftables' as const, what })),
    ...cgroups().map((what) => ({ kind: 'cgroup' as const, what })),
  ];
}

/** What is on the machine before a test run: not its leftovers. */
export function recordMachine(): ReadonlySet<string> {
  return new Set(kernelObjects().map(({ what }) => what));
}

function leftKernelObjects({ run, before }: TestRun): readonly Leftover[] {
  const live = liveNames();
  return kernelObjects().filter(({ what }) => {
    if (before.has(what)) return false;
    const name = OWN_NAME.exec(what)?.[0];
    return what.includes(`berth-test-${run}-`) || (name !== undefined && !live.has(name));
  });
}

function find(testRun: TestRun): readonly Leftover[] {
  const { run } = testRun;
  const of = (kind: Leftover['kind'], whats: readonly string[]) => whats.map((what) => ({ kind, what }));
  return [
    ...of(
      'process',
      leftProcesses(run).map(({ pid, command }) => `${pid} ${command.slice(0, 160)}`),
    ),
    ...of('mount', leftMounts(run)),
    ...of('directory', leftDirectories(run)),
    ...leftKernelObjects(testRun),
  ];
}

/** What a test run has left behind, after a moment's grace for processes that are just ending. */
export async function findLeftovers(testRun: TestRun): Promise<readonly Leftover[]> {
  const deadline = Date.now() + GRACE_MS;
  let leftovers = find(testRun);
  while (leftovers.length > 0 && Date.now() < deadline) {
    await delay(POLL_MS);
    leftovers = find(testRun);
  }
  return leftovers;
}

/** Ends and removes what was found, so that the next run starts clean. */
export async function removeLeftovers(leftovers: readonly Leftover[]): Promise<void> {
  const of = (kind: Leftover['kind']) =>
    leftovers.filter((leftover) => leftover.kind === kind).map(({ what }) => what);
  // The deepest first: a mount or a cgroup can hold another.
  const deepest = (paths: readonly string[]) => paths.toSorted((a, b) => b.length - a.length);
  for (const what of of('process')) {
    try {
      process.kill(Number.parseInt(what, 10), 'SIGKILL');
    } catch {
      // It has ended meanwhile.
    }
  }
  await delay(POLL_MS);
  for (const path of deepest(of('mount'))) spawnSync('umount', ['-l', path]);
  for (const name of of('bridge')) spawnSync('ip', ['link', 'delete', name]);
  for (const table of of('nftables')) spawnSync('nft', ['delete', 'table', ...table.split(' ')]);
  for (const path of deepest(of('cgroup'))) spawnSync('find', [path, '-depth', '-type', 'd', '-delete']);
  for (const path of of('directory')) {
    // Never into a mount: what is mounted there is not the test's.
    if ((await mountsBelow(path)).length === 0) rmSync(path, { recursive: true, force: true });
  }
}
