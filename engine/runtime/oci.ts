import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BerthError } from '../api/errors.ts';
import { findProgram, runProgram } from '../host/programs.ts';
import { type CgroupLayout, removeCgroup } from './cgroups.ts';

/** The OCI runtime of this engine: crun, else runc. */
export type OciRuntime = {
  readonly name: string;
  readonly version: string;
  /** What conmon executes, and the arguments before the command. */
  readonly program: string;
  readonly args: readonly string[];
  start(id: string): Promise<void>;
  /** `created`, `running`, `paused`, `stopped`; undefined where the runtime does not know it. */
  status(id: string): Promise<{ readonly status: string; readonly pid: number } | undefined>;
  /** Kills what is left of it, and takes its cgroup and the runtime's record of it away. */
  remove(id: string): Promise<void>;
};

/**
 * Chooses the runtime and prepares it. `stateDir` is where it keeps its records, one directory for each engine.
 * Throws `unavailable` where there is neither.
 */
export async function openRuntime(options: {
  readonly stateDir: string;
  readonly runDir: string;
  readonly cgroups: CgroupLayout;
  /** The parent of the containers' cgroups. */
  readonly cgroupParent: string;
}): Promise<OciRuntime> {
  const found = (await findProgram('crun')) ?? (await findProgram('runc'));
  if (found === undefined) {
    throw new BerthError('unavailable', 'neither crun nor runc is installed', {
      hint: 'apt-get install crun',
    });
  }
  const name = found.endsWith('runc') ? 'runc' : 'crun';
  const program =
    name === 'crun' && options.cgroups === 'hybrid' ? withoutUnified(found, options.runDir) : found;
  const args = ['--root', options.stateDir];
  const version = /version ([\w.]+)/.exec(await runProgram(found, ['--version']))?.[1] ?? 'unknown';

  return {
    name,
    version,
    program,
    args,
    async start(id) {
      await runProgram(found, [...args, 'start', id]);
    },
    async status(id) {
      const text = await unlessUnknown(runProgram(found, [...args, 'state', id]));
      if (text === undefined) return undefined;
      const state = JSON.parse(text) as { status: string; pid: number };
      return { status: state.status, pid: state.pid };
    },
    async remove(id) {
      await unlessUnknown(runProgram(found, [...args, 'delete', '--force', id]));
      // A create that failed halfway leaves a cgroup that the runtime has no record of.
      removeCgroup(join(options.cgroupParent, id));
    },
  };
}

/** Both runtimes fail with such words on a container that they have no record of. */
async function unlessUnknown(work: Promise<string>): Promise<string | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof BerthError && /does not exist|No such file or directory/.test(error.message))
      return undefined;
    throw error;
  }
}

/**
 * crun 1.8 refuses to work where v1 controllers and a v2 tree stand side by side. In a mount namespace of its
 * own, without the v2 tree, it works; the namespace ends with crun itself, so it holds no mount.
 * See docs/decisions/0003-hybrid-cgroups.md.
 */
function withoutUnified(crun: string, runDir: string): string {
  const path = join(runDir, 'crun');
  const script = `#!/bin/sh
exec unshare --mount --propagation slave -- /bin/sh -c 'umount -l /sys/fs/cgroup/unified && exec ${crun} "$@"' crun "$@"
`;
  writeFileSync(path, script, { mode: 0o755 });
  chmodSync(path, 0o755);
  return path;
}
