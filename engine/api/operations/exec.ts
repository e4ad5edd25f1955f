import { integer } from '../fields.ts';
import type { ExecCreateBody, ExecInspect, ExecStartBody } from '../wire/exec.ts';
import { operation } from './define.ts';

/** Programs that are run in a container that runs already. */
export const execOperations = {
  execCreate: operation<{ readonly Id: string }, ExecCreateBody>()({
    summary: 'Prepare a program to run in a running container',
    route: 'POST /containers/{id}/exec',
    body: 'json',
  }),
  execStart: operation<undefined, ExecStartBody>()({
    summary: 'Run a prepared program, and connect to its streams',
    route: 'POST /exec/{id}/start',
    body: 'json',
    answer: 'bytes',
  }),
  execResize: operation()({
    summary: "Set the size of a running program's terminal",
    route: 'POST /exec/{id}/resize',
    query: {
      height: integer('Rows', { wire: 'h', min: 0, max: 65535 }),
      width: integer('Columns', { wire: 'w', min: 0, max: 65535 }),
    },
    answer: 'none',
  }),
  execInspect: operation<ExecInspect>()({
    summary: 'Show all about a program that was run in a container',
    route: 'GET /exec/{id}/json',
  }),
};
