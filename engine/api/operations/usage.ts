import { boolean, string } from '../fields.ts';
import type { ContainerStats, ContainerTop } from '../wire/stats.ts';
import { operation } from './define.ts';

/** What runs in a container, and what it uses. */
export const usageOperations = {
  containerStats: operation<ContainerStats>()({
    summary: 'Show what a container uses: processor, memory, network, disk',
    route: 'GET /containers/{id}/stats',
    query: {
      stream: boolean('Go on, once a second'),
      oneShot: boolean('Answer at once, without a sample to compare with', { wire: 'one-shot' }),
    },
    answer: 'lines',
  }),
  containerTop: operation<ContainerTop>()({
    summary: 'Show the processes of a container',
    route: 'GET /containers/{id}/top',
    query: { psArgs: string('Options for ps', { wire: 'ps_args', placeholder: 'OPTIONS' }) },
  }),
};
