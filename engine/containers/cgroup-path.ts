import { posix } from 'node:path';
import type { HostConfig } from '../api/wire.ts';
import type { Context } from './context.ts';

/** A container's cgroup in every hierarchy: below the engine's, or where its `CgroupParent` says. */
export function cgroupPathOf(
  context: Pick<Context, 'cgroupParent'>,
  container: { readonly id: string; readonly hostConfig?: HostConfig },
): string {
  const parent = container.hostConfig?.CgroupParent || context.cgroupParent;
  return posix.join('/', parent, container.id);
}
