import { boolean, integer, string } from '../fields.ts';
import { operation } from './define.ts';
import { shared } from './shared.ts';

const outputs = {
  stdin: boolean('Attach to standard input'),
  stdout: boolean('Attach to standard output'),
  stderr: boolean('Attach to standard error'),
};

const attachQuery = {
  ...outputs,
  stream: boolean('Go on as it writes more'),
  logs: boolean('Start with what it wrote already'),
  detachKeys: string('Keys that detach, as in ctrl-p,ctrl-q', { placeholder: 'KEYS' }),
};

/** What a container writes and reads. */
export const streamOperations = {
  containerResize: operation()({
    summary: "Set the size of a container's terminal",
    route: 'POST /containers/{id}/resize',
    query: {
      height: integer('Rows', { wire: 'h', min: 0, max: 65535 }),
      width: integer('Columns', { wire: 'w', min: 0, max: 65535 }),
    },
    answer: 'none',
  }),
  containerLogs: operation()({
    summary: 'Show what a container wrote',
    route: 'GET /containers/{id}/logs',
    query: {
      follow: boolean('Go on as it writes more', { short: 'f' }),
      stdout: outputs.stdout,
      stderr: outputs.stderr,
      since: shared.since,
      until: shared.until,
      timestamps: boolean('Put the time before each line', { short: 't' }),
      tail: shared.tail,
      details: boolean('Show the labels and variables that the log options name'),
    },
    answer: 'bytes',
  }),
  containerAttach: operation()({
    summary: "Connect to a running container's streams",
    route: 'POST /containers/{id}/attach',
    query: attachQuery,
    answer: 'bytes',
  }),
  containerAttachWs: operation()({
    summary: "Connect to a running container's streams over a websocket",
    route: 'GET /containers/{id}/attach/ws',
    query: attachQuery,
    answer: 'bytes',
  }),
};
