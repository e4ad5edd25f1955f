import { boolean, integer, string } from '../fields.ts';
import type { UpdateContainerBody } from '../wire/host-config.ts';
import type { ContainersPruned } from '../wire/prune.ts';
import type { ContainerInspect, ContainerSummary, CreateContainerBody, WaitResult } from '../wire.ts';
import { operation } from './define.ts';
import { shared } from './shared.ts';

/** Containers: what they are, and their life. */
export const containerOperations = {
  containerCreate: operation<
    { readonly Id: string; readonly Warnings: readonly string[] },
    CreateContainerBody
  >()({
    summary: 'Create a container without starting it',
    route: 'POST /containers/create',
    query: { name: string('Name for the container', { placeholder: 'NAME' }), platform: shared.platform },
    body: 'json',
  }),
  containerList: operation<readonly ContainerSummary[]>()({
    summary: 'List containers',
    route: 'GET /containers/json',
    query: {
      all: shared.all,
      limit: integer('Show only the newest ones, whatever their state', {
        short: 'n',
        min: -1,
        placeholder: 'N',
      }),
      size: boolean('Show sizes too', { short: 's' }),
      filter: shared.filter,
    },
  }),
  containerInspect: operation<ContainerInspect>()({
    summary: 'Show all about a container',
    route: 'GET /containers/{id}/json',
    query: { size: boolean('Show sizes too', { short: 's' }) },
  }),
  containerStart: operation()({
    summary: 'Start a container',
    route: 'POST /containers/{id}/start',
    answer: 'none',
  }),
  containerStop: operation()({
    summary: 'Stop a container: its stop signal, and a kill after the timeout',
    route: 'POST /containers/{id}/stop',
    query: { timeout: shared.timeout, signal: shared.signal },
    answer: 'none',
  }),
  containerRestart: operation()({
    summary: 'Restart a container',
    route: 'POST /containers/{id}/restart',
    query: { timeout: shared.timeout, signal: shared.signal },
    answer: 'none',
  }),
  containerKill: operation()({
    summary: 'Send a signal to a running container',
    route: 'POST /containers/{id}/kill',
    query: { signal: shared.signal },
    answer: 'none',
  }),
  containerUpdate: operation<{ readonly Warnings: readonly string[] | null }, UpdateContainerBody>()({
    summary: 'Change limits and restart policy of a container',
    route: 'POST /containers/{id}/update',
    body: 'json',
  }),
  containerPause: operation()({
    summary: 'Freeze all processes of a container',
    route: 'POST /containers/{id}/pause',
    answer: 'none',
  }),
  containerUnpause: operation()({
    summary: 'Let the processes of a paused container go on',
    route: 'POST /containers/{id}/unpause',
    answer: 'none',
  }),
  containerRename: operation()({
    summary: 'Give a container another name',
    route: 'POST /containers/{id}/rename',
    query: { newName: string('Its new name', { wire: 'name', placeholder: 'NAME' }) },
    answer: 'none',
  }),
  containerPrune: operation<ContainersPruned>()({
    summary: 'Remove all containers that do not run',
    route: 'POST /containers/prune',
    query: { filter: shared.filter },
  }),
  containerRemove: operation()({
    summary: 'Remove a container',
    // A link is named by two names with a slash between.
    route: 'DELETE /containers/{id*}',
    query: {
      force: boolean('Kill it first if it runs', { short: 'f' }),
      link: boolean('Remove the link of that name, not the container', { short: 'l' }),
      volumes: boolean('Remove its anonymous volumes too', { wire: 'v', short: 'v' }),
    },
    answer: 'none',
  }),
  containerWait: operation<WaitResult>()({
    summary: 'Wait until a container stops, and give its exit code',
    route: 'POST /containers/{id}/wait',
    query: {
      condition: string('What to wait for', { values: ['', 'not-running', 'next-exit', 'removed'] }),
    },
  }),
};
