import { cpus, type Field, integer, list, size, string, type ValuesOf } from '../fields.ts';
import { parseSize } from '../sizes.ts';
import type { Resources, RestartPolicy } from '../wire/host-config.ts';
import { saidOnly, wrongValue } from './pairs.ts';

const microseconds = { placeholder: 'MICROSECONDS' };

/** The limits that an update can change too. */
export const limitFields = {
  memory: size('Most memory it may use, as in 512m', { short: 'm', min: 6 * 2 ** 20, placeholder: 'SIZE' }),
  memorySwap: string('Most memory and swap together; -1 for no limit of swap', { placeholder: 'SIZE' }),
  memoryReservation: size('Memory that it keeps when memory runs short', { placeholder: 'SIZE' }),
  cpus: cpus('Most processors it may use, as in 1.5', { min: 0.01, placeholder: 'N' }),
  cpuShares: integer('Weight of its share of the processors; 1024 is usual', {
    short: 'c',
    placeholder: 'N',
  }),
  cpuPeriod: integer('Length of the period that --cpu-quota is for', microseconds),
  cpuQuota: integer('Processor time it may use in each period', microseconds),
  cpuRtPeriod: integer('Length of the period that --cpu-rt-runtime is for', microseconds),
  cpuRtRuntime: integer('Real-time processor time it may use in each period', microseconds),
  cpusetCpus: string('Processors it may use, as in 0-2,7', { placeholder: 'LIST' }),
  cpusetMems: string('Memory nodes it may use, as in 0,1', { placeholder: 'LIST' }),
  blkioWeight: integer('Weight of its share of block devices, 10 to 1000', { placeholder: 'N' }),
  pidsLimit: integer('Most processes it may have; -1 for no limit', { min: -1, placeholder: 'N' }),
} as const satisfies Record<string, Field>;

export const restart = string('When it is started again: no, always, unless-stopped, on-failure[:N]', {
  placeholder: 'POLICY',
});

/** Limits that only a create can set. */
export const createLimitFields = {
  memorySwappiness: integer('How readily its memory is swapped out, 0 to 100', {
    min: -1,
    max: 100,
    placeholder: 'N',
  }),
  blkioWeightDevice: list('Weight of its share of one device', { placeholder: 'DEVICE:WEIGHT' }),
  deviceReadBps: list('Most bytes a second it may read from a device', { placeholder: 'DEVICE:SIZE' }),
  deviceWriteBps: list('Most bytes a second it may write to a device', { placeholder: 'DEVICE:SIZE' }),
  deviceReadIops: list('Most reads a second from a device', { placeholder: 'DEVICE:N' }),
  deviceWriteIops: list('Most writes a second to a device', { placeholder: 'DEVICE:N' }),
  cgroupParent: string('Cgroup that its own is made in', { placeholder: 'PATH' }),
} as const satisfies Record<string, Field>;

/** The limits as the Engine API has them; what was not said is left out. Throws `invalid`. */
export function limitsBody(options: ValuesOf<typeof limitFields>): Resources {
  return saidOnly({
    Memory: options.memory,
    MemorySwap: options.memorySwap === undefined ? undefined : readSwap(options.memorySwap),
    MemoryReservation: options.memoryReservation,
    NanoCpus: options.cpus === undefined ? undefined : Math.round(options.cpus * 1e9),
    CpuShares: options.cpuShares,
    CpuPeriod: options.cpuPeriod,
    CpuQuota: options.cpuQuota,
    CpuRealtimePeriod: options.cpuRtPeriod,
    CpuRealtimeRuntime: options.cpuRtRuntime,
    CpusetCpus: options.cpusetCpus,
    CpusetMems: options.cpusetMems,
    BlkioWeight: options.blkioWeight,
    PidsLimit: options.pidsLimit,
  }) as Resources;
}

export function createLimitsBody(options: ValuesOf<typeof createLimitFields>): Resources {
  const bytes = (text: string) => parseSize(text);
  const rates = (flag: string, texts: readonly string[] | undefined, read: (text: string) => number) =>
    texts?.map((text) => {
      const [Path, Rate] = readDevice(flag, text, read);
      return { Path, Rate };
    });
  return saidOnly({
    MemorySwappiness: options.memorySwappiness,
    BlkioWeightDevice: options.blkioWeightDevice?.map((text) => {
      const [Path, Weight] = readDevice('blkio-weight-device', text, readCount);
      return { Path, Weight };
    }),
    BlkioDeviceReadBps: rates('device-read-bps', options.deviceReadBps, bytes),
    BlkioDeviceWriteBps: rates('device-write-bps', options.deviceWriteBps, bytes),
    BlkioDeviceReadIOps: rates('device-read-iops', options.deviceReadIops, readCount),
    BlkioDeviceWriteIOps: rates('device-write-iops', options.deviceWriteIops, readCount),
    CgroupParent: options.cgroupParent,
  }) as Resources;
}

/** Reads `on-failure:3`. Throws `invalid`. */
export function readRestart(text: string): RestartPolicy {
  const match = /^([a-z-]*)(?::(\d+))?$/.exec(text);
  if (match === null) throw wrongValue('restart', text, 'no, always, unless-stopped or on-failure[:N]');
  return { Name: match[1] ?? '', MaximumRetryCount: Number(match[2] ?? 0) };
}

function readSwap(text: string): number {
  if (text.trim() === '-1') return -1;
  try {
    return parseSize(text);
  } catch {
    throw wrongValue('memory-swap', text, 'a size as in 1g, or -1');
  }
}

function readDevice(flag: string, text: string, read: (text: string) => number): readonly [string, number] {
  const match = /^(\/[^:]+):([^:]+)$/.exec(text);
  let value = Number.NaN;
  try {
    value = read(match?.[2] ?? '');
  } catch {
    // Said below.
  }
  if (match?.[1] === undefined || !Number.isSafeInteger(value))
    throw wrongValue(flag, text, flag.endsWith('bps') ? '/dev/NAME:SIZE' : '/dev/NAME:NUMBER');
  return [match[1], value];
}

function readCount(text: string): number {
  return /^\d+$/.test(text) ? Number(text) : Number.NaN;
}
