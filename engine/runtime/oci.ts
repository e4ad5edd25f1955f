import { closeSync, constants, openSync, unlinkSync, writeSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { BerthError } from '../api/errors.ts';
import { copyMountNamespace } from '../host/mount-namespace.ts';
import { findProgram, runProgram } from '../host/programs.ts';
import { type CgroupLayout, isCgroupInUse, removeCgroup } from './cgroups.ts';

/** The OCI runtime of this engine: crun, else runc. */
export type OciRuntime = {
  readonly name: string;
  readonly version: string;
  /**
   * How it is executed for what looks at cgroups (create, update): valid until it is disposed of. `sharing`: what the
   * container mounts is to be seen on the host where that was asked for.
   */
  invocation(options: { readonly sharing: boolean }): Invocation & Disposable;
  /** The runtime itself, for what looks at no cgroups, and the arguments before the command. */
  readonly path: string;
  readonly args: readonly string[];
  start(id: string): Promise<void>;
  /** Sets limits of a container that runs, as `linux.resources` of an OCI spec says them. */
  update(id: string, resources: object): Promise<void>;
  /** `created`, `running`, `paused`, `stopped`; undefined where the runtime does not know it. */
  status(id: string): Promise<{ readonly status: string; readonly pid: number } | undefined>;
  /**
   * Kills what is left of it, and takes its cgroup (a path in every hierarchy) and the runtime's record of it away. Where
   * its run is known to have `ended` the runtime itself is started only if something lives on.
   */
  remove(id: string, cgroup?: string, options?: { readonly ended?: boolean }): Promise<void>;
};

/** A program's full path, and the arguments before the runtime's command. */
type Invocation = { readonly program: string; readonly args: readonly string[] };

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
  const found = (await findProgram('crun')) ?? (await findProgram('runc')) ?? '';
  if (found === '') {
    throw new BerthError('unavailable', 'neither crun nor runc is installed', {
      hint: 'apt-get install crun',
    });
  }
  const name = found.endsWith('runc') ? 'runc' : 'crun';
  const args = ['--root', options.stateDir];
  const version = /version ([\w.]+)/.exec(await runProgram(found, ['--version']))?.[1] ?? 'unknown';
  const nsenter = await findProgram('nsenter');

  /**
   * crun 1.8 refuses to work where v1 controllers and a v2 tree stand side by side. In a mount namespace without the
   * v2 tree it works; that ends with crun itself, so it holds no mount. See docs/decisions/0003-hybrid-cgroups.md.
   */
  function invocation({ sharing }: { readonly sharing: boolean }): Invocation & Disposable {
    if (name === 'runc' || options.cgroups !== 'hybrid' || nsenter === undefined)
      return { program: found, args, [Symbol.dispose]: () => undefined };
    const namespace = copyMountNamespace({
      hidden: '/sys/fs/cgroup/unified',
      parent: '/sys/fs/cgroup',
      sharing,
    });
    return {
      program: nsenter,
      args: [`--mount=${namespace.path}`, '--', found, ...args],
      [Symbol.dispose]: () => namespace[Symbol.dispose](),
    };
  }

  return {
    name,
    version,
    invocation,
    path: found,
    args,
    async start(id) {
      if (!letGo(join(options.stateDir, id))) await runProgram(found, [...args, 'start', id]);
    },
    async update(id, resources) {
      using runtime = invocation({ sharing: false });
      await runProgram(runtime.program, [...runtime.args, 'update', '--resources', '-', id], {
        input: JSON.stringify(resources),
      });
    },
    async status(id) {
      const text = await unlessUnknown(runProgram(found, [...args, 'state', id]));
      if (text === undefined) return undefined;
      const state = JSON.parse(text) as { status: string; pid: number };
      return { status: state.status, pid: state.pid };
    },
    async remove(id, cgroup = join(options.cgroupParent, id), { ended = false } = {}) {
      // A monitor may be making it right now, where it is not known to have ended: its cgroup fills late.
      if (ended && !isCgroupInUse(cgroup)) {
        // A program less at the end of each container: the record is a directory with its id.
        await rm(join(options.stateDir, id), { recursive: true, force: true });
      } else await unlessUnknown(runProgram(found, [...args, 'delete', '--force', id]));
      // A create that failed halfway leaves a cgroup that the runtime has no record of.
      removeCgroup(cgroup);
    },
  };
}

/**
 * Does what `crun start` does, without a program: a container that was created waits for a byte from the FIFO beside its
 * record, and counts as created while that has a name. False where nobody waits so, as with runc: the runtime starts
 * it then, or says why it can't.
 */
function letGo(record: string): boolean {
  const path = join(record, 'exec.fifo');
  let fifo: number;
  try {
    // O_NONBLOCK: refused (ENXIO) where nobody reads.
    fifo = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch {
    return false;
  }
  try {
    // In this order: an engine that ends in between finds one that was not started, and ends it.
    writeSync(fifo, '0');
    unlinkSync(path);
    return true;
  } finally {
    closeSync(fifo);
  }
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
