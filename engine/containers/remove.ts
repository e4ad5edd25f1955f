import { BerthError } from '../api/errors.ts';
import type { Context } from './context.ts';
import { removeContainer } from './end.ts';
import { isPaused } from './pause.ts';
import { type ContainerRecord, exclusively, isActive } from './record.ts';
import { giveUpRestart } from './restarts.ts';

/**
 * Takes a container away, one that runs only where `force` says so, and with `volumes` those of its volumes that have
 * no name. `end` kills it and waits for its end. Throws
 * `conflict` for one that runs, `internal` where something of it could not be taken away: it is `dead` then.
 */
export async function removeByHand(
  context: Context,
  record: ContainerRecord,
  options: { readonly force: boolean; readonly volumes: boolean; readonly end: () => Promise<void> },
): Promise<void> {
  const refuseRunning = () => {
    if (isActive(record.life) && !options.force) throw runs(record);
  };
  await record.queue;
  refuseRunning();
  await options.end();
  await exclusively(record, async () => {
    // One that removed itself at its end is gone: what was asked for is so.
    if (context.store.byId(record.id) === undefined) return;
    giveUpRestart(context, record);
    refuseRunning();
    await removeContainer(context, record, { volumes: options.volumes });
  });
}

export type LinkApi = {
  /** Takes away a link, `CONTAINER/ALIAS`, and neither of the containers. Throws `notFound`, `conflict` for a plain name. */
  removeLink(name: string): Promise<void>;
};

export function containerLinks({ store }: Pick<Context, 'store'>): LinkApi {
  return {
    async removeLink(name) {
      const [parent = '', alias] = name.replace(/^\//, '').split('/');
      const record = store.find(parent);
      if (alias === undefined) {
        throw new BerthError(
          'conflict',
          `Conflict, cannot remove the default link name of the container: ${name}`,
          { hint: `write ${name}/ALIAS for a link, or leave --link out to remove the container` },
        );
      }
      const isNamed = (link: string) => link.endsWith(`:${alias}`);
      await exclusively(record, async () => {
        const links = record.hostConfig.Links ?? [];
        if (!links.some(isNamed))
          throw new BerthError(
            'notFound',
            `No such container: ${name}: no link of ${record.name} has that name`,
            {
              hint: `berth inspect -f '{{json .HostConfig.Links}}' ${record.name}`,
            },
          );
        const Links = links.filter((link) => !isNamed(link));
        store.saveHostConfig(record, { ...record.hostConfig, Links });
      });
    },
  };
}

function runs(record: ContainerRecord): BerthError {
  const state = isPaused(record) ? 'paused' : record.life.status;
  const first = state === 'paused' ? 'Unpause and then stop' : 'Stop';
  return new BerthError(
    'conflict',
    `You cannot remove a ${state} container ${record.id}. ${first} the container before attempting removal or force remove`,
    { hint: `berth rm -f ${record.name}` },
  );
}
