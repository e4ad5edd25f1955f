import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isErrno } from '../api/errors.ts';

const ROOT = '/sys/fs/cgroup/cpu';

/**
 * Makes room for a new cgroup's real-time processor time in those above it: the kernel (v1 alone has it) gives a cgroup
 * no more than is left of its parent's, and new ones begin with none. `cgroup` is the path of the one that comes.
 * Rule: Documentation/scheduler/sched-rt-group.rst of the kernel. Leaves it to the runtime to say that there is none.
 */
export function makeRealtimeRoom(
  cgroup: string,
  wanted: { readonly runtimeUs: number; readonly periodUs: number },
): void {
  if (wanted.runtimeUs <= 0 || !existsSync(join(ROOT, 'cpu.rt_runtime_us'))) return;
  const above: string[] = [];
  for (let path = dirname(cgroup); path !== '/'; path = dirname(path)) above.unshift(path);
  const more = wanted.runtimeUs / (wanted.periodUs || 1e6);
  for (const path of above) {
    const directory = join(ROOT, path);
    mkdirSync(directory, { recursive: true });
    const period = readNumber(join(directory, 'cpu.rt_period_us'));
    const needed = Math.ceil((shareBelow(directory) + more) * period);
    if (needed <= readNumber(join(directory, 'cpu.rt_runtime_us'))) continue;
    try {
      writeFileSync(join(directory, 'cpu.rt_runtime_us'), String(needed));
    } catch (error) {
      // No room: the runtime meets the same refusal and says so.
      if (!isErrno(error, 'EINVAL')) throw error;
    }
  }
}

/** Which part of the time the cgroups right below have. */
function shareBelow(directory: string): number {
  const below = readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return below.reduce((sum, { name }) => {
    try {
      const of = (file: string) => readNumber(join(directory, name, file));
      return sum + of('cpu.rt_runtime_us') / of('cpu.rt_period_us');
    } catch (error) {
      // It went meanwhile.
      if (isErrno(error, 'ENOENT') || isErrno(error, 'ENODEV')) return sum;
      throw error;
    }
  }, 0);
}

function readNumber(path: string): number {
  return Number(readFileSync(path, 'utf8'));
}
