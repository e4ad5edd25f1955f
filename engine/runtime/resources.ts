import type { Resources, ThrottleDevice } from '../api/wire/host-config.ts';
import { type CgroupLayout, countsSwap } from './cgroups.ts';
import { blockDevice, type DeviceRule } from './devices.ts';

const CPU_PERIOD_US = 100_000;

/**
 * `linux.resources` of an OCI spec, also what `update` of a runtime reads. What is not limited is left out.
 * Throws `invalid` for a block device that the host hasn't.
 */
export function resourcesOf(
  limits: Resources,
  cgroups: CgroupLayout,
  devices: readonly DeviceRule[] | undefined = undefined,
): object {
  const { PidsLimit } = limits;
  return {
    ...(devices === undefined ? {} : { devices }),
    memory: memoryOf(limits, cgroups),
    cpu: cpuOf(limits),
    ...(typeof PidsLimit === 'number' && PidsLimit !== 0 ? { pids: { limit: PidsLimit } } : {}),
    ...blockTrafficOf(limits),
  };
}

function memoryOf(limits: Resources, cgroups: CgroupLayout): object {
  const { Memory = 0, MemorySwap = 0, MemoryReservation = 0, MemorySwappiness, OomKillDisable } = limits;
  // What is said of swap counts memory too; nothing said means as much again.
  const swap = MemorySwap === 0 ? Memory * 2 : MemorySwap;
  return {
    ...(Memory > 0 ? { limit: Memory } : {}),
    ...(swap !== 0 && countsSwap(cgroups) ? { swap } : {}),
    ...(MemoryReservation > 0 ? { reservation: MemoryReservation } : {}),
    ...(MemorySwappiness != null && MemorySwappiness >= 0 ? { swappiness: MemorySwappiness } : {}),
    ...(OomKillDisable === true ? { disableOOMKiller: true } : {}),
  };
}

function cpuOf(limits: Resources): object {
  const { NanoCpus = 0, CpuShares = 0, CpuRealtimePeriod = 0, CpuRealtimeRuntime = 0 } = limits;
  const quota = NanoCpus > 0 ? Math.round((NanoCpus / 1e9) * CPU_PERIOD_US) : (limits.CpuQuota ?? 0);
  const period = NanoCpus > 0 ? CPU_PERIOD_US : (limits.CpuPeriod ?? 0);
  return {
    ...(CpuShares > 0 ? { shares: CpuShares } : {}),
    ...(quota !== 0 ? { quota } : {}),
    ...(period > 0 ? { period } : {}),
    ...(CpuRealtimePeriod > 0 ? { realtimePeriod: CpuRealtimePeriod } : {}),
    ...(CpuRealtimeRuntime > 0 ? { realtimeRuntime: CpuRealtimeRuntime } : {}),
    ...(limits.CpusetCpus ? { cpus: limits.CpusetCpus } : {}),
    ...(limits.CpusetMems ? { mems: limits.CpusetMems } : {}),
  };
}

function blockTrafficOf(limits: Resources): object {
  const rates = (list: readonly ThrottleDevice[] | null | undefined) =>
    (list ?? []).map(({ Path, Rate }) => ({ ...blockDevice(Path), rate: Rate }));
  const parts = {
    weight: limits.BlkioWeight || undefined,
    weightDevice: (limits.BlkioWeightDevice ?? []).map(({ Path, Weight }) => ({
      ...blockDevice(Path),
      weight: Weight,
    })),
    throttleReadBpsDevice: rates(limits.BlkioDeviceReadBps),
    throttleWriteBpsDevice: rates(limits.BlkioDeviceWriteBps),
    throttleReadIOPSDevice: rates(limits.BlkioDeviceReadIOps),
    throttleWriteIOPSDevice: rates(limits.BlkioDeviceWriteIOps),
  };
  const said = Object.entries(parts).filter(([, value]) =>
    Array.isArray(value) ? value.length > 0 : value !== undefined,
  );
  return said.length === 0 ? {} : { blockIO: Object.fromEntries(said) };
}
