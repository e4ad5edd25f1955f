import { lstatSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { BerthError, isErrno } from '../../api/errors.ts';
import { type Bind, restrictions, type SpecMount } from '../../runtime/mounts.ts';
import type { Context } from '../context.ts';
import type { ContainerRecord } from '../record.ts';
import { readTmpfs } from './settle.ts';
import type { BindMount } from './types.ts';
import { volumeMount } from './volumes.ts';

/** A container's mounts made ready for a start. Throws `invalid` for a source that isn't there or can't be shared. */
export function prepareMounts(context: Context, record: ContainerRecord): readonly SpecMount[] {
  return [
    ...record.mounts.map((mount) => {
      if (mount.type === 'volume') return restricted(volumeMount(context, record, mount));
      if (mount.type === 'tmpfs') {
        const access = mount.readOnly ? ['ro'] : [];
        return { destination: mount.destination, options: [...mount.options, ...access] };
      }
      prepareSource(mount);
      return restricted(mount);
    }),
    ...Object.entries(record.hostConfig.Tmpfs ?? {}).map(([path, options]) => readTmpfs(path, options)),
  ];
}

/** What the mount under its source doesn't allow, this one doesn't either. */
function restricted<B extends Bind>(bind: B): B {
  const { options } = mountUnder(bind.source);
  // Nothing is mounted below a file, and crun 1.8 takes what it is to close with all below for a directory.
  const isDirectory = statSync(bind.source, { throwIfNoEntry: false })?.isDirectory() ?? false;
  return {
    ...bind,
    readOnlyBelow: bind.readOnlyBelow === true && isDirectory,
    restrictions: restrictions.filter((word) => options.includes(word)),
  };
}

function prepareSource(bind: BindMount): void {
  try {
    lstatSync(bind.source);
  } catch (error) {
    if (isErrno(error, 'ENOTDIR')) {
      throw new BerthError('invalid', `cannot bind ${bind.source}: a part of that path is no directory`, {
        cause: error,
      });
    }
    if (!isErrno(error, 'ENOENT')) throw error;
    if (!bind.makesSource)
      throw new BerthError('invalid', `bind source path does not exist: ${bind.source}`, { cause: error });
    // What docker does for `-v`.
    mkdirSync(bind.source, { recursive: true });
  }
  if (/^r?shared$/.test(bind.propagation)) requirePropagation(bind, /^shared:/, 'a shared mount');
  if (/^r?slave$/.test(bind.propagation))
    requirePropagation(bind, /^(shared|master):/, 'a shared or slave mount');
}

/** What a mount lets through is a property of the mount that its source lies on (proc_pid_mountinfo(5)). */
function requirePropagation(bind: BindMount, wanted: RegExp, what: string): void {
  const { target, tags } = mountUnder(bind.source);
  if (tags.some((tag) => wanted.test(tag))) return;
  throw new BerthError('invalid', `path ${bind.source} is mounted on ${target} but it is not ${what}`, {
    hint: `mount --make-shared ${target}`,
  });
}

function mountUnder(path: string): {
  readonly target: string;
  readonly options: readonly string[];
  readonly tags: readonly string[];
} {
  let found = { target: '/', options: [] as readonly string[], tags: [] as readonly string[] };
  for (const line of readFileSync('/proc/self/mountinfo', 'utf8').split('\n')) {
    const fields = line.split(' ');
    const target = (fields[4] ?? '').replace(/\\([0-7]{3})/g, (_all, digits) =>
      String.fromCharCode(Number.parseInt(digits, 8)),
    );
    const within = target === '/' || path === target || path.startsWith(`${target}/`);
    // Of two at one place the later one is on top.
    if (target === '' || !within || target.length < found.target.length) continue;
    found = { target, options: (fields[5] ?? '').split(','), tags: fields.slice(6, fields.indexOf('-')) };
  }
  return found;
}
