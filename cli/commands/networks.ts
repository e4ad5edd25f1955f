import type { Entry } from './entry.ts';

/** Commands of networks. */
export const networkEntries: readonly Entry[] = [
  {
    names: ['network create'],
    summary: 'Make a network',
    group: 'Networks',
    load: () => import('./network-create.ts'),
  },
  {
    names: ['network ls', 'network list'],
    summary: 'List networks',
    group: 'Networks',
    load: () => import('./network-ls.ts'),
  },
  {
    names: ['network inspect'],
    summary: 'Show all about networks',
    group: 'Networks',
    load: () => import('./network-inspect.ts'),
  },
  {
    names: ['network connect'],
    summary: 'Bring a container onto a network',
    group: 'Networks',
    load: () => import('./network-connect.ts'),
  },
  {
    names: ['network disconnect'],
    summary: 'Take a container off a network',
    group: 'Networks',
    load: () => import('./network-disconnect.ts'),
  },
  {
    names: ['network rm', 'network remove'],
    summary: 'Remove networks',
    group: 'Networks',
    load: () => import('./network-rm.ts'),
  },
  {
    names: ['network prune'],
    summary: 'Remove networks that no container uses',
    group: 'Networks',
    load: () => import('./network-prune.ts'),
  },
];
