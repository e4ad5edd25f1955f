import { CONTAINER_NAME } from '../api/create.ts';
import { BerthError } from '../api/errors.ts';
import type { Context } from './context.ts';
import { type ContainerRecord, exclusively } from './record.ts';

export type RenameApi = {
  /** Throws `invalid` on a name that can't be one, `conflict` where it is in use. */
  rename(name: string, newName: string): Promise<void>;
};

export function containerRename(context: Context): RenameApi {
  const { store } = context;
  return {
    async rename(name, wanted) {
      const record = store.find(name);
      if (wanted === '')
        throw new BerthError('invalid', 'Neither old nor new names may be empty', {
          hint: 'send the new one as ?name=NAME',
        });
      const newName = readContainerName(wanted);
      await exclusively(record, async () => {
        requireThere(context, record);
        if (newName === record.name)
          throw new BerthError(
            'invalid',
            `Renaming a container with the same name as its current name: ${newName}`,
          );
        const oldName = record.name;
        store.rename(record, newName);
        context.networks.rename(record.id, newName);
        context.record(record, 'rename', { oldName: `/${oldName}` });
      });
    },
  };
}

/** A container's name without its slash. Throws `invalid`. */
export function readContainerName(given: string): string {
  if (!CONTAINER_NAME.test(given)) {
    throw new BerthError(
      'invalid',
      `Invalid container name (${given}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`,
    );
  }
  return given.replace(/^\//, '');
}

/** Throws `notFound` for one that was removed while its turn was waited for. */
export function requireThere(context: Context, record: ContainerRecord): void {
  if (context.store.byId(record.id) === undefined)
    throw new BerthError('notFound', `No such container: ${record.id}`, { hint: 'berth ps -a' });
}
