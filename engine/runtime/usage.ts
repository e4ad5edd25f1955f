import { readlinkSync } from 'node:fs';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { isErrno } from '../api/errors.ts';
import type {
  BlkioCount,
  BlkioEntry,
  BlkioStats,
  ContainerStats,
  CpuStats,
  MemoryStats,
  NetworkStats,
} from '../api/wire/stats.ts';
import { type CgroupPlaces, readUnlessGone } from './cgroup-places.ts';

/** What a container uses at one moment. */
export type Usage = Pick<
  ContainerStats,
  'pids_stats' | 'blkio_stats' | 'cpu_stats' | 'memory_stats' | 'networks'
>;

/** USER_HZ: 100 on every architecture that Linux tells processes about. */
const TICK_NS = 1e7;

export const noBlkio: BlkioStats = {
  io_service_bytes_recursive: null,
  io_serviced_recursive: null,
  io_queue_recursive: null,
  io_service_time_recursive: null,
  io_wait_time_recursive: null,
  io_merged_recursive: null,
  io_time_recursive: null,
  sectors_recursive: null,
};

export const noCpu: CpuStats = {
  cpu_usage: { total_usage: 0, usage_in_kernelmode: 0, usage_in_usermode: 0 },
  throttling_data: { periods: 0, throttled_periods: 0, throttled_time: 0 },
};

/**
 * Reads what a container uses, from its cgroup and, for the network, from its first process. Undefined where it has
 * ended. The numbers are the kernel's own: docker's clients take the page cache from the memory themselves.
 */
export function readUsage(places: CgroupPlaces, pid: number): Usage | undefined {
  const pids = numberIn(places.of('pids'), 'pids.current');
  const limit = numberIn(places.of('pids'), 'pids.max');
  const cpu = places.version === 2 ? cpuOfV2(places) : cpuOfV1(places);
  if (cpu === undefined) return undefined;
  const networks = readNetworks(pid);
  return {
    pids_stats: {
      ...(pids === undefined ? {} : { current: pids }),
      ...(limit === undefined ? {} : { limit }),
    },
    blkio_stats: places.version === 2 ? blkioOfV2(places) : blkioOfV1(places),
    cpu_stats: { ...cpu, ...readSystem() },
    memory_stats: places.version === 2 ? memoryOfV2(places) : memoryOfV1(places),
    ...(networks === undefined ? {} : { networks }),
  };
}

function cpuOfV1(places: CgroupPlaces): CpuStats | undefined {
  const account = places.of('cpuacct');
  const total = numberIn(account, 'cpuacct.usage');
  if (total === undefined) return undefined;
  const modes = pairsIn(account, 'cpuacct.stat');
  const each = textIn(account, 'cpuacct.usage_percpu')?.trim().split(' ').map(Number);
  const throttled = pairsIn(places.of('cpu'), 'cpu.stat');
  return {
    cpu_usage: {
      total_usage: total,
      ...(each === undefined ? {} : { percpu_usage: each }),
      usage_in_kernelmode: (modes.system ?? 0) * TICK_NS,
      usage_in_usermode: (modes.user ?? 0) * TICK_NS,
    },
    throttling_data: {
      periods: throttled.nr_periods ?? 0,
      throttled_periods: throttled.nr_throttled ?? 0,
      throttled_time: throttled.throttled_time ?? 0,
    },
  };
}

function cpuOfV2(places: CgroupPlaces): CpuStats | undefined {
  const counts = pairsIn(places.of('cpu'), 'cpu.stat');
  if (counts.usage_usec === undefined) return undefined;
  return {
    cpu_usage: {
      total_usage: counts.usage_usec * 1000,
      usage_in_kernelmode: (counts.system_usec ?? 0) * 1000,
      usage_in_usermode: (counts.user_usec ?? 0) * 1000,
    },
    throttling_data: {
      periods: counts.nr_periods ?? 0,
      throttled_periods: counts.nr_throttled ?? 0,
      throttled_time: (counts.throttled_usec ?? 0) * 1000,
    },
  };
}

/** The machine's processors: proc_stat(5). The first seven columns, as dockerd adds them up. */
function readSystem(): Pick<CpuStats, 'system_cpu_usage' | 'online_cpus'> {
  const text = readUnlessGone('/proc/stat') ?? '';
  const ticks = /^cpu +(.*)$/m.exec(text)?.[1]?.split(' ').slice(0, 7).map(Number) ?? [];
  return {
    system_cpu_usage: ticks.reduce((sum, value) => sum + value, 0) * TICK_NS,
    online_cpus: text.match(/^cpu\d/gm)?.length ?? 0,
  };
}

function memoryOfV1(places: CgroupPlaces): MemoryStats {
  const directory = places.of('memory');
  const usage = numberIn(directory, 'memory.usage_in_bytes');
  if (usage === undefined) return {};
  const failures = numberIn(directory, 'memory.failcnt') ?? 0;
  return {
    usage,
    max_usage: numberIn(directory, 'memory.max_usage_in_bytes') ?? 0,
    stats: pairsIn(directory, 'memory.stat'),
    ...(failures === 0 ? {} : { failcnt: failures }),
    limit: atMostTheMachine(numberIn(directory, 'memory.limit_in_bytes')),
  };
}

function memoryOfV2(places: CgroupPlaces): MemoryStats {
  const directory = places.of('memory');
  const usage = numberIn(directory, 'memory.current');
  if (usage === undefined) return {};
  const failures = pairsIn(directory, 'memory.events').oom ?? 0;
  return {
    usage,
    stats: pairsIn(directory, 'memory.stat'),
    ...(failures === 0 ? {} : { failcnt: failures }),
    limit: atMostTheMachine(numberIn(directory, 'memory.max')),
  };
}

const atMostTheMachine = (limit = Number.POSITIVE_INFINITY) => Math.min(limit, totalmem());

/** The counts of the block layer itself, which are there whatever scheduler a disk has. */
function blkioOfV1(places: CgroupPlaces): BlkioStats {
  const directory = places.of('blkio');
  const none = Object.fromEntries(Object.keys(noBlkio).map((name) => [name, []]));
  return {
    ...(none as unknown as Record<BlkioCount, readonly BlkioEntry[]>),
    io_service_bytes_recursive: entriesIn(directory, 'blkio.throttle.io_service_bytes_recursive'),
    io_serviced_recursive: entriesIn(directory, 'blkio.throttle.io_serviced_recursive'),
  };
}

function entriesIn(directory: string | undefined, file: string): readonly BlkioEntry[] {
  return [...(textIn(directory, file) ?? '').matchAll(/^(\d+):(\d+) (\w+) (\d+)$/gm)].map(
    ([, major, minor, op = '', value]) => ({
      major: Number(major),
      minor: Number(minor),
      op,
      value: Number(value),
    }),
  );
}

/** `8:0 rbytes=1459200 wbytes=314773504 …`, a line for each disk. */
function blkioOfV2(places: CgroupPlaces): BlkioStats {
  const lines = [...(textIn(places.of('io'), 'io.stat') ?? '').matchAll(/^(\d+):(\d+) (.*)$/gm)];
  const entries = lines.flatMap(([, major, minor, counts = '']) =>
    (['read', 'write'] as const).map((op) => ({
      major: Number(major),
      minor: Number(minor),
      op,
      value: Number(new RegExp(`\\b${op === 'read' ? 'r' : 'w'}bytes=(\\d+)`).exec(counts)?.[1] ?? 0),
    })),
  );
  return { ...noBlkio, io_service_bytes_recursive: entries };
}

/** The interfaces that Docker gives a container. */
const INTERFACE = /^ *(eth\d+): *(.*)$/gm;

/** Counts of the interfaces in a process's network namespace; undefined where it is the host's own, or has none. */
function readNetworks(pid: number): Readonly<Record<string, NetworkStats>> | undefined {
  if (networkNamespace(pid) === networkNamespace('self')) return undefined;
  const rows = [...(readUnlessGone(`/proc/${pid}/net/dev`) ?? '').matchAll(INTERFACE)];
  if (rows.length === 0) return undefined;
  return Object.fromEntries(
    rows.map(([, name = '', counts = '']) => {
      const at = counts.split(/ +/).map(Number);
      return [
        name,
        {
          rx_bytes: at[0] ?? 0,
          rx_packets: at[1] ?? 0,
          rx_errors: at[2] ?? 0,
          rx_dropped: at[3] ?? 0,
          tx_bytes: at[8] ?? 0,
          tx_packets: at[9] ?? 0,
          tx_errors: at[10] ?? 0,
          tx_dropped: at[11] ?? 0,
        },
      ];
    }),
  );
}

function networkNamespace(pid: number | 'self'): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`);
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ESRCH')) return undefined;
    throw error;
  }
}

function textIn(directory: string | undefined, file: string): string | undefined {
  return directory === undefined ? undefined : readUnlessGone(join(directory, file));
}

/** A file with one number; undefined where it isn't there or says `max`. */
function numberIn(directory: string | undefined, file: string): number | undefined {
  const text = textIn(directory, file)?.trim();
  return text === undefined || !/^\d+$/.test(text) ? undefined : Number(text);
}

/** A file of lines `name number`. */
function pairsIn(directory: string | undefined, file: string): Readonly<Record<string, number>> {
  const pairs: Record<string, number> = {};
  for (const line of (textIn(directory, file) ?? '').split('\n')) {
    const space = line.indexOf(' ');
    if (space > 0) pairs[line.slice(0, space)] = Number(line.slice(space + 1));
  }
  return pairs;
}
