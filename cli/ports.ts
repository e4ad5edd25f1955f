import type { Port } from '../engine/api/wire.ts';

/** Ports in a row that are published alike: `first` to `last`. */
type Run = { readonly key: string; readonly first: number; last: number };

/**
 * A container's ports as `docker ps` shows them: neighbours together (`8000-8002/tcp`), then the published ones that
 * have another number outside.
 */
export function shownPorts(ports: readonly Port[]): string {
  const ended: Run[] = [];
  const open = new Map<string, Run>();
  const mapped: string[] = [];
  for (const { IP = '', PrivatePort, PublicPort = 0, Type } of ports.toSorted(byNumber)) {
    if (IP !== '' && PublicPort !== PrivatePort) {
      mapped.push(`${bracketed(IP)}:${PublicPort}->${PrivatePort}/${Type}`);
      continue;
    }
    const key = IP === '' ? Type : `${IP}/${Type}`;
    const run = open.get(key);
    if (run !== undefined && PrivatePort === run.last + 1) run.last = PrivatePort;
    else {
      if (run !== undefined) ended.push(run);
      open.set(key, { key, first: PrivatePort, last: PrivatePort });
    }
  }
  return [...[...ended, ...open.values()].map(shownRun), ...mapped].join(', ');
}

function shownRun({ key, first, last }: Run): string {
  const numbers = first === last ? String(first) : `${first}-${last}`;
  const slash = key.lastIndexOf('/');
  if (slash < 0) return `${numbers}/${key}`;
  return `${bracketed(key.slice(0, slash))}:${numbers}->${numbers}/${key.slice(slash + 1)}`;
}

const bracketed = (address: string) => (address.includes(':') ? `[${address}]` : address);

function byNumber(a: Port, b: Port): number {
  return (
    a.PrivatePort - b.PrivatePort ||
    compareText(a.IP ?? '', b.IP ?? '') ||
    (a.PublicPort ?? 0) - (b.PublicPort ?? 0) ||
    compareText(a.Type, b.Type)
  );
}

const compareText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
