import type { ContainerSummary, Port } from '../../engine/api/wire.ts';
import { formatDuration, parseStatus, type StatusText, unchangedForMs } from '../text/ages.ts';
import { cleanText } from '../text/clean.ts';
import type { Column } from './columns.ts';
import type { Entry, Mark } from './entry.ts';

/** A container as the engine listed it, and what was read from its status then. */
export type ListedContainer = {
  readonly summary: ContainerSummary;
  readonly status: StatusText | undefined;
};

/** `docker ps`'s columns; the name comes first, because that is what the eye looks for. */
export const containerColumns: readonly Column[] = [
  { title: 'NAMES', min: 12, max: 40, priority: 9 },
  { title: 'IMAGE', min: 12, max: 40, priority: 5 },
  { title: 'COMMAND', min: 12, max: 22, priority: 1 },
  { title: 'CREATED', min: 18, max: 22, priority: 2 },
  { title: 'STATUS', min: 16, max: 34, priority: 8 },
  { title: 'PORTS', min: 10, max: 40, priority: 3 },
];

/**
 * Takes in what the engine listed at `nowMs`. Since when it has its status is kept from `before`, or taken
 * from `knownMs`, as long as that agrees with the engine's coarser text.
 */
export function listContainer(
  summary: ContainerSummary,
  nowMs: number,
  before?: ListedContainer,
  knownMs?: number,
): ListedContainer {
  const sameState = before !== undefined && before.summary.State === summary.State;
  const sinceMs = knownMs ?? (sameState ? before.status?.sinceMs : undefined);
  return { summary, status: parseStatus(summary.Status, nowMs, sinceMs) };
}

/** Newest first, as `ps` has it; those of one second stay in the order they came in. */
export function sortContainers(containers: readonly ListedContainer[]): readonly ListedContainer[] {
  return containers.toSorted((a, b) => b.summary.Created - a.summary.Created);
}

/** The container's name without the slash; of several, the one that is not a link's. */
export function containerName(summary: ContainerSummary): string {
  const names = summary.Names ?? [];
  const own = names.find((name) => name.lastIndexOf('/') <= 0) ?? names[0];
  return cleanText((own ?? summary.Id.slice(0, 12)).replace(/^\//, ''));
}

/** The line of a container; `doing` stands in its status while the engine is asked to change it. */
export function containerEntry(listed: ListedContainer, nowMs: number, doing: string | undefined): Entry {
  const { summary, status } = listed;
  const ageMs = nowMs - summary.Created * 1000;
  const statusAgeMs = status === undefined ? 0 : nowMs - status.sinceMs;
  const statusText =
    status === undefined
      ? cleanText(summary.Status || summary.State)
      : `${status.before}${formatDuration(statusAgeMs)}${cleanText(status.after)}`;
  return {
    key: summary.Id,
    target: summary.Id,
    name: containerName(summary),
    mark: markOf(summary),
    running: isLive(summary),
    cells: [
      containerName(summary),
      cleanText(summary.Image).replace(/^sha256:([0-9a-f]{12})[0-9a-f]*$/, '$1'),
      cleanText(`"${summary.Command}"`),
      `${formatDuration(ageMs)} ago`,
      doing ?? statusText,
      formatPorts(summary.Ports ?? []),
    ],
    changesAtMs:
      nowMs +
      Math.min(
        unchangedForMs(ageMs),
        status === undefined ? Number.POSITIVE_INFINITY : unchangedForMs(statusAgeMs),
      ),
  };
}

/** Whether it has processes: what `ps` shows without `-a`. */
export function isLive(summary: ContainerSummary): boolean {
  return summary.State === 'running' || summary.State === 'paused' || summary.State === 'restarting';
}

function markOf(summary: ContainerSummary): Mark {
  switch (summary.State) {
    case 'running':
    case 'paused':
    case 'restarting':
    case 'created':
      return summary.State;
    case 'dead':
      return 'failed';
    default:
      return /^Exited \((?!0\))/.test(summary.Status) ? 'failed' : 'exited';
  }
}

/** Published ports as `docker ps` writes them: `0.0.0.0:8080->80/tcp, 443/tcp`. */
export function formatPorts(ports: readonly Port[]): string {
  return ports
    .toSorted((a, b) => a.PrivatePort - b.PrivatePort || ((a.IP ?? '') < (b.IP ?? '') ? -1 : 1))
    .map(({ IP, PrivatePort, PublicPort, Type }) => {
      const inside = `${PrivatePort}/${Type}`;
      if (!PublicPort) return inside;
      const address = IP === undefined || IP === '' ? '0.0.0.0' : IP.includes(':') ? `[${IP}]` : IP;
      return `${address}:${PublicPort}->${inside}`;
    })
    .join(', ');
}
