import { z } from 'zod';
import { BerthError, toBerthError } from '../api/errors.ts';
import type { Resources, UpdateContainerBody } from '../api/wire/host-config.ts';
import type { HostConfig } from '../api/wire.ts';
import { liftPidsLimit } from '../runtime/cgroups.ts';
import { makeRealtimeRoom } from '../runtime/realtime.ts';
import { resourcesOf } from '../runtime/resources.ts';
import { parseOrThrow, refuseUnknown } from './body.ts';
import { cgroupPathOf } from './cgroup-path.ts';
import type { Context } from './context.ts';
import { checkLimits } from './host-config/limits.ts';
import { limitsShape, restartPolicy } from './host-config/shape.ts';
import { type ContainerRecord, exclusively } from './record.ts';
import { requireThere } from './rename.ts';
import { checkRestartPolicy } from './restart-policy.ts';

export type UpdateApi = {
  /**
   * Changes limits and restart policy of a container, running or not; what is empty or 0 stays as it is.
   * Throws `invalid`, `conflict` where it doesn't go with what is set already, `unsupported` for a field by name.
   */
  update(name: string, body: UpdateContainerBody): Promise<{ readonly Warnings: readonly string[] }>;
};

const shape = z.looseObject({ ...limitsShape, RestartPolicy: restartPolicy });
const acted = new Set(Object.keys(shape.shape));

export function containerUpdate(context: Context): UpdateApi {
  return {
    async update(name, body) {
      const record = context.store.find(name);
      const given = parseOrThrow(shape, body) as UpdateContainerBody;
      refuseUnknown(given, '', acted, { MemorySwappiness: [-1] });
      checkRestartPolicy({ RestartPolicy: given.RestartPolicy ?? null });
      const { limits, warnings } = checkLimits(given, context.machine, { update: true });
      await exclusively(record, async () => {
        requireThere(context, record);
        const { status } = record.life;
        if (status === 'removing' || status === 'dead')
          throw cannot(record, 'Container is marked for removal and cannot be "update".');
        const updated = merge(record, limits);
        if (status === 'running') await applyLimits(context, record, limits, updated);
        context.store.saveHostConfig(record, updated);
        context.record(record, 'update');
      });
      return { Warnings: warnings };
    },
  };
}

/** The HostConfig with what was given over it, by dockerd's rules (its UpdateContainer). */
function merge(record: ContainerRecord, given: UpdateContainerBody): HostConfig {
  const { hostConfig: now } = record;
  const conflict = (what: string, other: string) =>
    cannot(record, `Conflicting options: ${what} cannot be updated as ${other} has already been set`);
  const set = (name: 'NanoCpus' | 'CpuPeriod' | 'CpuQuota', where: Resources) => (where[name] ?? 0) > 0;
  for (const [name, words] of [
    ['CpuPeriod', 'CPU Period'],
    ['CpuQuota', 'CPU Quota'],
  ] as const) {
    if (set('NanoCpus', given) && set(name, now)) throw conflict('Nano CPUs', words);
    if (set(name, given) && set('NanoCpus', now)) throw conflict(words, 'NanoCPUs');
  }
  const swap = now.MemorySwap ?? 0;
  if ((given.Memory ?? 0) > 0 && !given.MemorySwap && swap >= 0 && (given.Memory ?? 0) > swap) {
    throw cannot(
      record,
      'Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time',
      'give MemorySwap too, -1 for no limit of swap',
    );
  }
  const { RestartPolicy: policy, PidsLimit, ...rest } = given;
  if (policy?.Name && policy.Name !== 'no' && now.AutoRemove === true) {
    throw cannot(record, 'Restart policy cannot be updated because AutoRemove is enabled for the container');
  }
  const said = Object.entries(rest).filter(([name, value]) => acted.has(name) && Boolean(value));
  return {
    ...now,
    ...Object.fromEntries(said),
    ...(PidsLimit == null ? {} : { PidsLimit: Math.max(PidsLimit, 0) }),
    ...(policy?.Name ? { RestartPolicy: policy } : {}),
  };
}

/** Sets in the container's cgroup what was given; of what hangs together all, as it is then. */
async function applyLimits(
  context: Context,
  record: ContainerRecord,
  given: Resources,
  updated: HostConfig,
): Promise<void> {
  const memory = Boolean(given.Memory || given.MemorySwap);
  const processors = Boolean(given.NanoCpus || given.CpuPeriod || given.CpuQuota);
  const changed: Resources = {
    ...given,
    ...(memory ? { Memory: updated.Memory ?? 0, MemorySwap: updated.MemorySwap ?? 0 } : {}),
    ...(processors
      ? {
          NanoCpus: updated.NanoCpus ?? 0,
          CpuPeriod: updated.CpuPeriod ?? 0,
          CpuQuota: updated.CpuQuota ?? 0,
        }
      : {}),
    ...(given.PidsLimit == null ? {} : { PidsLimit: updated.PidsLimit ?? 0 }),
  };
  const resources = resourcesOf(changed, context.cgroups);
  try {
    makeRealtimeRoom(cgroupPathOf(context, record), {
      runtimeUs: given.CpuRealtimeRuntime ?? 0,
      periodUs: updated.CpuRealtimePeriod ?? 0,
    });
    await context.runtime.update(record.id, resources);
    if (changed.PidsLimit === 0) liftPidsLimit(cgroupPathOf(context, record));
  } catch (thrown) {
    const error = toBerthError(thrown);
    throw new BerthError(error.code, `Cannot update container ${record.id}: ${error.message}`, {
      hint: error.hint,
      cause: thrown,
    });
  }
}

function cannot(record: ContainerRecord, why: string, hint?: string): BerthError {
  return new BerthError('conflict', `Cannot update container ${record.id}: ${why}`, { hint });
}
