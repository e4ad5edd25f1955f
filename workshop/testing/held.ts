import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { TestEngine } from './engine.ts';

/** Ids of containers, by what there is of them. */
export type Held = Readonly<Record<(typeof kinds)[number], readonly string[]>>;

const kinds = [
  'directories',
  'writable layers',
  'namespaces',
  'bundles',
  'exit files',
  'runtime records',
] as const;

/** What the kernel and the disk hold of an engine's containers, by container id. */
export function held(engine: Pick<TestEngine, 'root' | 'runDir'>): Held {
  const mounts = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '');
  const idsBelow = (directory: string) =>
    mounts
      .filter((target) => target.startsWith(`${directory}/`))
      .map((target) => target.slice(directory.length + 1).split('/')[0] ?? '');
  return {
    directories: names(join(engine.root, 'containers')),
    'writable layers': idsBelow(join(engine.root, 'containers')),
    namespaces: idsBelow(join(engine.runDir, 'containers')),
    bundles: names(join(engine.runDir, 'containers')),
    'exit files': names(join(engine.runDir, 'exits')),
    'runtime records': names(join(engine.runDir, 'runtime')),
  };
}

/** How many files a process has open, but for network namespaces that wait for containers: those come and go. */
export function openFiles(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).filter((fd) => !isSpare(`/proc/${pid}/fd/${fd}`)).length;
}

function isSpare(path: string): boolean {
  try {
    return readlinkSync(path).startsWith('net:');
  } catch {
    // It has been closed meanwhile.
    return false;
  }
}

function names(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
