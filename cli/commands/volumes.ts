import type { Entry } from './entry.ts';

/** Commands of volumes. */
export const volumeEntries: readonly Entry[] = [
  {
    names: ['volume create'],
    summary: 'Make a volume',
    group: 'Volumes',
    load: () => import('./volume-create.ts'),
  },
  {
    names: ['volume ls', 'volume list'],
    summary: 'List volumes',
    group: 'Volumes',
    load: () => import('./volume-ls.ts'),
  },
  {
    names: ['volume inspect'],
    summary: 'Show all about volumes',
    group: 'Volumes',
    load: () => import('./volume-inspect.ts'),
  },
  {
    names: ['volume rm', 'volume remove'],
    summary: 'Remove volumes',
    group: 'Volumes',
    load: () => import('./volume-rm.ts'),
  },
  {
    names: ['volume prune'],
    summary: 'Remove volumes that no container has',
    group: 'Volumes',
    load: () => import('./volume-prune.ts'),
  },
];
