import { existsSync, globSync, readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { type CgroupLayout, countsSwap } from '../../runtime/cgroups.ts';

/** What this machine's kernel can limit; what it can't is discarded with a warning, as dockerd does. */
export type Machine = {
  readonly swap: boolean;
  readonly swappiness: boolean;
  readonly oomKillDisable: boolean;
  readonly blkioWeight: boolean;
  readonly realtime: boolean;
  readonly processors: number;
  /** In the kernel's list format (cpuset(7)): `0-1`. */
  readonly cpus: string;
  readonly mems: string;
};

export function readMachine(layout: CgroupLayout): Machine {
  const v2 = layout === 'v2';
  return {
    swap: countsSwap(layout),
    // cgroup v2 has neither (Documentation/admin-guide/cgroup-v2.rst).
    swappiness: !v2,
    oomKillDisable: !v2,
    blkioWeight: v2
      ? globSync('/sys/fs/cgroup/*/io{.bfq,}.weight').length > 0
      : existsSync('/sys/fs/cgroup/blkio/blkio.weight') ||
        existsSync('/sys/fs/cgroup/blkio/blkio.bfq.weight'),
    realtime: !v2 && existsSync('/sys/fs/cgroup/cpu/cpu.rt_runtime_us'),
    processors: cpus().length,
    cpus: first(['/sys/fs/cgroup/cpuset.cpus.effective', '/sys/fs/cgroup/cpuset/cpuset.cpus']),
    mems: first(['/sys/fs/cgroup/cpuset.mems.effective', '/sys/fs/cgroup/cpuset/cpuset.mems']),
  };
}

function first(paths: readonly string[]): string {
  const path = paths.find((candidate) => existsSync(candidate));
  return path === undefined ? '' : readFileSync(path, 'utf8').trim();
}

/** Reads `0-3,7`. Undefined for what is no such list. */
export function parseCpuList(text: string): ReadonlySet<number> | undefined {
  const found = new Set<number>();
  if (text === '') return found;
  for (const part of text.split(',')) {
    const match = /^\s*(\d{1,5})(?:-(\d{1,5}))?\s*$/.exec(part);
    if (match === null) return undefined;
    const [from, to] = [Number(match[1]), Number(match[2] ?? match[1])];
    if (to < from) return undefined;
    for (let number = from; number <= to; number += 1) found.add(number);
  }
  return found;
}
