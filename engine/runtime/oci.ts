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
  /** Sets limits of a container that runs, as `linux.resources` of an OCI spec says them. */
  update(id: string, resources: object): Promise<void>;
  /** `created`, `running`, `paused`, `stopped`; undefined where the runtime does not know it. */
  status(id: string): Promise<{ readonly status: string; readonly pid: number } | undefined>;
  /** The same for a container whose mounts are seen on the host: see `withoutUnified`. */
  readonly sharingProgram: string;
  /** Kills what is left of it, and takes its cgroup (a path in every hierarchy) and the runtime's record of it away. */
  remove(id: string, cgroup?: string): Promise<void>;
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
  const hidden = name === 'crun' && options.cgroups === 'hybrid';
  const program = hidden ? withoutUnified(found, join(options.runDir, 'crun'), { sharing: false }) : found;
  const sharingProgram = hidden
    ? withoutUnified(found, join(options.runDir, 'crun-sharing'), { sharing: true })
    : found;
  const args = ['--root', options.stateDir];
  const version = /version ([\w.]+)/.exec(await runProgram(found, ['--version']))?.[1] ?? 'unknown';

  return {
    name,
    version,
    program,
    sharingProgram,
    args,
    async start(id) {
      await runProgram(found, [...args, 'start', id]);
    },
    async update(id, resources) {
      await runProgram(program, [...args, 'update', '--resources', '-', id], {
        input: JSON.stringify(resources),
      });
    },
    async status(id) {
      const text = await unlessUnknown(runProgram(found, [...args, 'state', id]));
      if (text === undefined) return undefined;
      const state = JSON.parse(text) as { status: string; pid: number };
      return { status: state.status, pid: state.pid };
    },
    async remove(id, cgroup = join(options.cgroupParent, id)) {
      await unlessUnknown(runProgram(found, [...args, 'delete', '--force', id]));
      // A create that failed halfway leaves a cgroup that the runtime has no record of.
      removeCgroup(cgroup);
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
 * See docs/decisions/0003-hybrid-cgroups.md. `sharing`: what a container mounts is seen on the host where that was
 * asked for; only the mounts of cgroups are cut off, so that the host keeps its own. That takes a spawn more.
 */
function withoutUnified(crun: string, path: string, { sharing }: { readonly sharing: boolean }): string {
  const propagation = sharing ? 'unchanged' : 'slave';
  const cut = sharing ? 'mount --make-rprivate /sys/fs/cgroup && ' : '';
  const script = `#!/bin/sh
exec unshare --mount --propagation ${propagation} -- /bin/sh -c '${cut}umount -l /sys/fs/cgroup/unified && exec ${crun} "$@"' crun "$@"
`;
  writeFileSync(path, script, { mode: 0o755 });
  chmodSync(path, 0o755);
  return path;
}
