import { setImmediate } from 'node:timers/promises';
import { BerthError, toBerthError } from '../../api/errors.ts';
import { encodeFrame } from '../../api/multiplex.ts';
import type { WaitResult } from '../../api/wire.ts';
import type { Output, WaitCondition } from '../../containers/types.ts';
import { parseDetachKeys } from '../detach.ts';
import { type Handlers, type ServerParts, streamType } from '../exchange.ts';
import { parseMoment } from '../moments.ts';
import { asksForWebSocket } from '../websocket.ts';

/** Containers: what goes on for a while. Wait, logs, attach. */
export function streamHandlers({
  containers,
}: Pick<ServerParts, 'containers'>): Pick<
  Handlers,
  'containerWait' | 'containerLogs' | 'containerAttach' | 'containerAttachWs'
> {
  return {
    containerWait: async ({ path, query, signal }) => {
      const condition = (query.condition || 'not-running') as WaitCondition;
      const result = containers.wait(path.id, condition, signal);
      // A container that isn't there is said with a status. Whatever takes longer than this turn is a wait, and its
      // headers go out now: `docker run` starts the container only when it has them.
      await Promise.race([result, setImmediate()]);
      return { kind: 'stream', contentType: 'application/json', chunks: waitLine(result, signal) };
    },

    containerLogs: ({ path, query, apiMinor, signal }) => {
      const { since, until, tail, follow, stdout, stderr, timestamps, details } = query;
      if (stdout !== true && stderr !== true)
        throw new BerthError('invalid', 'Bad parameters: you must choose at least one stream', {
          hint: 'ask for stdout=1, stderr=1 or both',
        });
      const { tty, output } = containers.logs(
        path.id,
        {
          follow,
          stdout,
          stderr,
          timestamps,
          details,
          since: since === undefined ? undefined : parseMoment('since', since),
          // 0 is what clients send that want no end.
          until: until === undefined || until === '0' ? undefined : parseMoment('until', until),
          tail: tail === undefined || tail === 'all' || tail === '-1' ? undefined : Number(tail),
        },
        signal,
      );
      return { kind: 'stream', contentType: streamType(apiMinor, tty), chunks: outputBytes(output, tty) };
    },

    containerAttach: ({ path, query, apiMinor }) => {
      const detachKeys = parseDetachKeys(query.detachKeys);
      const attachment = containers.attach(path.id, query);
      return {
        kind: 'attach',
        contentType: streamType(apiMinor, attachment.tty),
        attachment,
        detachKeys: attachment.tty ? detachKeys : [],
      };
    },

    containerAttachWs: ({ path, query, headers, apiMinor }) => {
      if (!asksForWebSocket({ headers }))
        throw new BerthError('invalid', 'bad request: not a websocket', {
          hint: 'ask for an upgrade to websocket',
        });
      const detachKeys = parseDetachKeys(query.detachKeys);
      // Before 1.42 all of them were meant, whatever was said.
      const all = { stdin: true, stdout: true, stderr: true };
      const attachment = containers.attach(path.id, apiMinor >= 42 ? query : { ...query, ...all });
      return {
        kind: 'websocket',
        attachment,
        detachKeys: attachment.tty ? detachKeys : [],
        binary: apiMinor >= 28,
      };
    },
  };
}

/** The answer of a wait, with `Error` as dockerd writes it. Nothing where the client has gone. */
async function* waitLine(result: Promise<WaitResult>, signal: AbortSignal): AsyncGenerator<string> {
  let answer: WaitResult;
  try {
    answer = { Error: null, ...(await result) };
  } catch (error) {
    if (signal.aborted) return;
    answer = { Error: { Message: toBerthError(error).message }, StatusCode: 125 };
  }
  yield `${JSON.stringify(answer)}\n`;
}

/** What goes over the wire of a container's output: frames, or with a terminal the bytes themselves. */
export async function* outputBytes(output: Output, tty: boolean): AsyncGenerator<Buffer> {
  for await (const { stream, data } of output) yield tty ? data : encodeFrame(stream, data);
}
