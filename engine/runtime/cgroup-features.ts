import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isErrno } from '../api/errors.ts';
import { type CgroupLayout, countsSwap } from './cgroups.ts';

/** What the machine's cgroups can limit: the names are those of `GET /info`. */
export type CgroupFeatures = Readonly<
  Record<
    | 'MemoryLimit'
    | 'SwapLimit'
    | 'KernelMemoryTCP'
    | 'OomKillDisable'
    | 'CpuCfsPeriod'
    | 'CpuCfsQuota'
    | 'CPUShares'
    | 'CPUSet'
    | 'PidsLimit',
    boolean
  >
>;

/** What is missing of what is told in warnings alone. */
type BlockIo = Readonly<Record<'weight' | 'deviceWeight' | 'throttle', boolean>>;

const ROOT = '/sys/fs/cgroup';

/** Looks at the hierarchies below `root`. */
export function readCgroupFeatures(
  layout: CgroupLayout,
  root: string = ROOT,
): { readonly features: CgroupFeatures; readonly warnings: readonly string[] } {
  const features = layout === 'v2' ? featuresOfV2(root, layout) : featuresOfV1(root, layout);
  const blockIo = layout === 'v2' ? blockIoOfV2(root) : blockIoOfV1(root);
  return { features, warnings: warningsOf(features, blockIo, layout === 'v2') };
}

function featuresOfV1(root: string, layout: CgroupLayout): CgroupFeatures {
  const has = (path: string) => existsSync(join(root, path));
  return {
    MemoryLimit: has('memory/memory.limit_in_bytes'),
    SwapLimit: has('memory/memory.limit_in_bytes') && countsSwap(layout),
    KernelMemoryTCP: has('memory/memory.kmem.tcp.limit_in_bytes'),
    OomKillDisable: has('memory/memory.oom_control'),
    CpuCfsPeriod: has('cpu/cpu.cfs_period_us'),
    CpuCfsQuota: has('cpu/cpu.cfs_quota_us'),
    CPUShares: has('cpu/cpu.shares'),
    CPUSet: has('cpuset/cpuset.cpus'),
    PidsLimit: has('pids/cgroup.procs'),
  };
}

function featuresOfV2(root: string, layout: CgroupLayout): CgroupFeatures {
  const controllers = controllersOf(root);
  const [memory, cpu] = [controllers.has('memory'), controllers.has('cpu')];
  return {
    MemoryLimit: memory,
    SwapLimit: memory && countsSwap(layout),
    // cgroup v2 has neither (Documentation/admin-guide/cgroup-v2.rst).
    KernelMemoryTCP: false,
    OomKillDisable: false,
    CpuCfsPeriod: cpu,
    CpuCfsQuota: cpu,
    CPUShares: cpu,
    CPUSet: controllers.has('cpuset'),
    PidsLimit: controllers.has('pids'),
  };
}

function controllersOf(root: string): ReadonlySet<string> {
  try {
    return new Set(readFileSync(join(root, 'cgroup.controllers'), 'utf8').trim().split(' '));
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
    return new Set();
  }
}

/** On v1 the kernel gave weights up with 5.0: dockerd does not complain of them there. */
function blockIoOfV1(root: string): BlockIo {
  return {
    weight: true,
    deviceWeight: true,
    throttle: existsSync(join(root, 'blkio/blkio.throttle.read_bps_device')),
  };
}

/** The root of the tree has no files of limits: those of the first cgroup below it tell. */
function blockIoOfV2(root: string): BlockIo {
  if (!controllersOf(root).has('io')) return { weight: false, deviceWeight: false, throttle: false };
  const below = readdirSync(root, { withFileTypes: true }).find((entry) => entry.isDirectory());
  const has = (name: string) => below !== undefined && existsSync(join(root, below.name, name));
  const weight = has('io.weight') || has('io.bfq.weight');
  return { weight, deviceWeight: weight, throttle: has('io.max') };
}

/** dockerd's words, in its order (moby, daemon/info_unix.go): clients print them as they are. */
function warningsOf(features: CgroupFeatures, blockIo: BlockIo, v2: boolean): readonly string[] {
  const throttles = v2
    ? ['io.max (rbps)', 'io.max (wbps)', 'io.max (riops)', 'io.max (wiops)']
    : ['read_bps', 'write_bps', 'read_iops', 'write_iops'].map((name) => `blkio throttle.${name}_device`);
  const missing: readonly (readonly [string, boolean])[] = [
    ['memory limit', features.MemoryLimit],
    ['swap limit', features.SwapLimit],
    ['kernel memory TCP limit', features.KernelMemoryTCP || v2],
    ['oom kill disable', features.OomKillDisable || v2],
    ['cpu cfs quota', features.CpuCfsQuota],
    ['cpu cfs period', features.CpuCfsPeriod],
    ['cpu shares', features.CPUShares],
    ['cpuset', features.CPUSet],
    ['io.weight', blockIo.weight],
    ['io.weight (per device)', blockIo.deviceWeight],
    ...throttles.map((name) => [name, blockIo.throttle] as const),
  ];
  return missing.flatMap(([name, there]) => (there ? [] : [`WARNING: No ${name} support`]));
}
