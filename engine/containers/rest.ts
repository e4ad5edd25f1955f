import { type ContainerRecord, isActive } from './record.ts';

/** Whether it runs or will: its restart policy starts it again after a while, or a restart is under way. */
export function goesOn({ life, restarting }: Pick<ContainerRecord, 'life' | 'restarting'>): boolean {
  return isActive(life) || (restarting > 0 && life.status === 'exited');
}

/** Calls `act` once the container has come to rest, at once where it has already: it runs no more, and nothing starts it again by itself. */
export function onceAtRest(record: ContainerRecord, act: () => void): Disposable {
  const look = () => {
    if (goesOn(record)) return;
    record.followers.delete(look);
    act();
  };
  record.followers.add(look);
  look();
  return { [Symbol.dispose]: () => void record.followers.delete(look) };
}

/** To be called where a container may have come to rest: tells those who wait for that. */
export function tellFollowers({ followers }: Pick<ContainerRecord, 'followers'>): void {
  for (const look of [...followers]) look();
}
