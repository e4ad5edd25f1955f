import { formatMemory, formatSize } from '../engine/api/sizes.ts';
import type { ContainerStats, MemoryStats } from '../engine/api/wire/stats.ts';
import type { ListFields } from './list-fields.ts';
import { shortId } from './printable.ts';

/** A container whose use is shown: as it was named, with the newest record; none while nothing has come. */
export type Used = { readonly container: string; readonly stats: ContainerStats | undefined };

const UNKNOWN = '--';

/** What a container uses, as `docker stats` names, computes and words it. */
export function usageFields(noTrunc: boolean): ListFields<Used> {
  const shown = (show: (stats: ContainerStats) => string, unknown = UNKNOWN) => ({
    of: ({ stats }: Used) => (stats === undefined ? unknown : show(stats)),
  });
  return {
    Container: { title: 'CONTAINER', of: ({ container }) => container },
    Name: { title: 'NAME', ...shown(({ name }) => name?.replace(/^\//, '') || UNKNOWN) },
    ID: { title: 'CONTAINER ID', ...shown((stats) => (noTrunc ? idOf(stats) : shortId(idOf(stats))), '') },
    CPUPerc: { title: 'CPU %', ...shown((stats) => percent(cpuShare(stats))) },
    MemUsage: {
      title: 'MEM USAGE / LIMIT',
      ...shown(
        ({ memory_stats: memory }) =>
          `${formatMemory(usedMemory(memory))} / ${formatMemory(memory.limit ?? 0)}`,
        `${UNKNOWN} / ${UNKNOWN}`,
      ),
    },
    MemPerc: {
      title: 'MEM %',
      ...shown(({ memory_stats: memory }) => percent(memory.limit ? usedMemory(memory) / memory.limit : 0)),
    },
    NetIO: {
      title: 'NET I/O',
      ...shown(({ networks = {} }) => {
        const sum = (key: 'rx_bytes' | 'tx_bytes') =>
          Object.values(networks).reduce((bytes, counts) => bytes + counts[key], 0);
        return `${formatSize(sum('rx_bytes'))} / ${formatSize(sum('tx_bytes'))}`;
      }),
    },
    BlockIO: {
      title: 'BLOCK I/O',
      ...shown(({ blkio_stats: { io_service_bytes_recursive: entries } }) => {
        const sum = (letter: string) =>
          (entries ?? []).reduce(
            (bytes, { op, value }) => bytes + (op.toLowerCase().startsWith(letter) ? value : 0),
            0,
          );
        return `${formatSize(sum('r'))} / ${formatSize(sum('w'))}`;
      }),
    },
    PIDs: { title: 'PIDS', ...shown(({ pids_stats: pids }) => String(pids.current ?? 0)) },
  };
}

export const usageColumns = ['ID', 'Name', 'CPUPerc', 'MemUsage', 'MemPerc', 'NetIO', 'BlockIO', 'PIDs'];

/** Podman 4.3 writes it in another way. */
const idOf = (stats: ContainerStats & { readonly Id?: string }) => stats.id ?? stats.Id ?? '';

const percent = (share: number) => `${(share * 100).toFixed(2)}%`;

/** How much of one processor it used since the record before: 2 is two of them. */
function cpuShare({ cpu_stats: now, precpu_stats: before }: ContainerStats): number {
  const used = now.cpu_usage.total_usage - before.cpu_usage.total_usage;
  const given = (now.system_cpu_usage ?? 0) - (before.system_cpu_usage ?? 0);
  const processors = now.online_cpus || now.cpu_usage.percpu_usage?.length || 0;
  return used > 0 && given > 0 ? (used / given) * processors : 0;
}

/** Without the page cache that the kernel would give up first: `total_inactive_file` on cgroup v1. */
function usedMemory({ usage = 0, stats }: MemoryStats): number {
  const cache = stats?.total_inactive_file ?? stats?.inactive_file ?? 0;
  return cache < usage ? usage - cache : usage;
}
