import { BerthError } from '../../api/errors.ts';
import type { Resources } from '../../api/wire/host-config.ts';
import { type Machine, parseCpuList } from './machine.ts';

const MIN_MEMORY = 6 * 2 ** 20;
/** A hundredth of a processor: the kernel's least quota, 1 ms, in a period of 100. */
const MIN_NANO_CPUS = 1e7;

/** The limits as they hold here, and what had to be discarded. */
export type CheckedLimits<R extends Resources> = { readonly limits: R; readonly warnings: readonly string[] };

/**
 * Checks limits as dockerd does (its verifyPlatformContainerResources) and in its words. What the kernel can't do is
 * taken out, with a warning. `update`: the other limits are those of a container that is there. Throws `invalid`.
 */
export function checkLimits<R extends Resources>(
  given: R,
  machine: Machine,
  { update = false }: { readonly update?: boolean } = {},
): CheckedLimits<R> {
  checkMemory(given, update);
  checkProcessors(given, machine);
  checkSet('cpuset cpus', 'CPUs', given.CpusetCpus ?? '', machine.cpus);
  checkSet('cpuset mems', 'memory nodes', given.CpusetMems ?? '', machine.mems);
  const warnings: string[] = [];
  const discarded: (keyof Resources)[] = [];
  const discard = (name: keyof Resources, present: boolean, possible: boolean, what: string) => {
    if (!present || possible) return;
    discarded.push(name);
    warnings.push(`Your kernel does not support ${what}`);
  };
  const { blkioWeight, swappiness, oomKillDisable, realtime } = machine;
  const unmounted = 'or the cgroup is not mounted.';
  discard(
    'BlkioWeight',
    (given.BlkioWeight ?? 0) > 0,
    blkioWeight,
    `Block I/O weight ${unmounted} Weight discarded.`,
  );
  discard(
    'BlkioWeightDevice',
    (given.BlkioWeightDevice ?? []).length > 0,
    blkioWeight,
    `Block I/O weight_device ${unmounted} Weight-device discarded.`,
  );
  discard(
    'MemorySwappiness',
    (given.MemorySwappiness ?? -1) !== -1,
    swappiness,
    `memory swappiness capabilities ${unmounted} Memory swappiness discarded.`,
  );
  discard(
    'OomKillDisable',
    given.OomKillDisable === true,
    oomKillDisable,
    'OomKillDisable. OomKillDisable discarded.',
  );
  discard(
    'CpuRealtimePeriod',
    (given.CpuRealtimePeriod ?? 0) > 0,
    realtime,
    'CPU real-time scheduler. Period discarded.',
  );
  discard(
    'CpuRealtimeRuntime',
    (given.CpuRealtimeRuntime ?? 0) > 0,
    realtime,
    'CPU real-time scheduler. Runtime discarded.',
  );
  if ((given.Memory ?? 0) > 0 && given.MemorySwap !== -1 && !machine.swap) {
    discarded.push('MemorySwap');
    warnings.push(
      'Your kernel does not support swap limit capabilities or the cgroup is not mounted. Memory limited without swap.',
    );
  }
  if (!discarded.includes('BlkioWeight')) checkWeights(given);
  if (given.OomKillDisable === true && oomKillDisable && !given.Memory) {
    warnings.push(
      'OOM killer is disabled for the container, but no memory limit is set, this can result in the system running out of resources.',
    );
  }
  const kept = Object.entries(given).filter(([name]) => !discarded.includes(name as keyof Resources));
  return { limits: Object.fromEntries(kept) as R, warnings };
}

function checkMemory(given: Resources, update: boolean): void {
  const { Memory, MemorySwap, MemoryReservation, MemorySwappiness } = given;
  const [memory, swap, reservation] = [Memory ?? 0, MemorySwap ?? 0, MemoryReservation ?? 0];
  if (memory > 0 && memory < MIN_MEMORY)
    throw invalid(`invalid Memory ${memory}: Minimum memory limit allowed is 6MB`);
  if (memory > 0 && swap > 0 && swap < memory) {
    throw invalid(
      `invalid MemorySwap ${swap}: Minimum memoryswap limit should be larger than memory limit ${memory}, see usage`,
    );
  }
  if (memory === 0 && swap > 0 && !update) {
    throw invalid(
      `invalid MemorySwap ${swap}: You should always set the Memory limit when using Memoryswap limit, see usage`,
    );
  }
  if (reservation > 0 && reservation < MIN_MEMORY)
    throw invalid(`invalid MemoryReservation ${reservation}: Minimum memory reservation allowed is 6MB`);
  if (memory > 0 && reservation > memory) {
    throw invalid(
      `invalid MemoryReservation ${reservation}: Minimum memory limit can not be less than memory reservation limit, see usage`,
    );
  }
  if (MemorySwappiness != null && MemorySwappiness !== -1 && (MemorySwappiness < 0 || MemorySwappiness > 100))
    throw invalid(`Invalid value: ${MemorySwappiness}, valid memory swappiness range is 0-100`);
}

function checkProcessors(given: Resources, { processors }: Machine): void {
  const [nano, period, quota] = [given.NanoCpus ?? 0, given.CpuPeriod ?? 0, given.CpuQuota ?? 0];
  if (nano > 0 && period > 0)
    throw invalid('Conflicting options: Nano CPUs and CPU Period cannot both be set');
  if (nano > 0 && quota > 0) throw invalid('Conflicting options: Nano CPUs and CPU Quota cannot both be set');
  if (nano < 0 || nano > processors * 1e9) {
    throw invalid(
      `invalid NanoCpus ${nano}: Range of CPUs is from 0.01 to ${processors}.00, as there are only ${processors} CPUs available`,
    );
  }
  if (nano > 0 && nano < MIN_NANO_CPUS)
    throw invalid(`invalid NanoCpus ${nano}: at least ${MIN_NANO_CPUS}, which is 0.01 processors`);
  if (period !== 0 && (period < 1000 || period > 1_000_000)) {
    throw invalid(
      `invalid CpuPeriod ${period}: CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)`,
    );
  }
  if (quota > 0 && quota < 1000)
    throw invalid(`invalid CpuQuota ${quota}: CPU cfs quota can not be less than 1ms (i.e. 1000)`);
  const [rtPeriod, rtRuntime] = [given.CpuRealtimePeriod ?? 0, given.CpuRealtimeRuntime ?? 0];
  if (rtPeriod !== 0 && rtRuntime > rtPeriod) {
    throw invalid(
      `invalid CpuRealtimeRuntime ${rtRuntime}: cpu real-time runtime cannot be higher than cpu real-time period ${rtPeriod}`,
    );
  }
}

function checkSet(field: string, what: string, wanted: string, available: string): void {
  if (wanted === '') return;
  const numbers = parseCpuList(wanted);
  if (numbers === undefined)
    throw invalid(`Invalid value ${wanted} for ${field}: invalid format: ${wanted}`, 'write it as in 0-2,7');
  const there = parseCpuList(available);
  // Where the kernel doesn't say what there is, it has the last word.
  if (there === undefined || there.size === 0 || [...numbers].every((number) => there.has(number))) return;
  throw invalid(`Requested ${what} are not available - requested ${wanted}, available: ${available}`);
}

function checkWeights(given: Resources): void {
  const weights = [given.BlkioWeight ?? 0, ...(given.BlkioWeightDevice ?? []).map(({ Weight }) => Weight)];
  const wrong = weights.find((weight) => weight !== 0 && (weight < 10 || weight > 1000));
  if (wrong !== undefined)
    throw invalid(`invalid BlkioWeight ${wrong}: Range of blkio weight is from 10 to 1000`);
}

function invalid(message: string, hint?: string): BerthError {
  return new BerthError('invalid', message, { hint });
}
