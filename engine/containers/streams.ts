import { PassThrough } from 'node:stream';
import { BerthError } from '../api/errors.ts';
import type { StreamFrame } from '../api/multiplex.ts';
import { openInput } from '../runtime/input.ts';
import { type Follow, type LogWindow, readLog } from '../runtime/log.ts';
import { type LogFile, openLog } from '../runtime/log-file.ts';
import { framesOf } from '../runtime/log-record.ts';
import { type Context, pathsOf } from './context.ts';
import { logDetails, logPlan } from './log-config.ts';
import { requireUnpaused, restarting } from './pause.ts';
import type { ContainerRecord } from './record.ts';
import { goesOn, onceAtRest } from './rest.ts';
import { onceSettled } from './settled.ts';
import type { Attachment, Containers, LogQuery, Output } from './types.ts';

/** The longest that a timer can run: its milliseconds are a signed 32-bit number. */
const MAX_TIMER_MS = 2 ** 31 - 1;

type AttachQuery = Parameters<Containers['attach']>[1];

/** What a container wrote, and goes on writing where it is followed: until it has come to rest, over restarts. */
export function readLogs(
  context: Context,
  record: ContainerRecord,
  query: LogQuery,
  signal: AbortSignal,
): { readonly tty: boolean; readonly output: Output } {
  if (query.stdout !== true && query.stderr !== true) {
    throw new BerthError('invalid', 'Bad parameters: you must choose at least one stream', {
      hint: 'ask for stdout, stderr or both',
    });
  }
  if (!logPlan(record.hostConfig).readable) {
    throw new BerthError('unsupported', 'configured logging driver does not support reading', {
      hint: 'give the container another log driver than none',
    });
  }
  const file = openLog(pathsOf(context, record.id).log);
  const follow =
    query.follow === true && goesOn(record)
      ? { onEnd: orMoment(query.until, (end) => onceAtRest(record, end)), signal }
      : undefined;
  const details = query.details === true ? `${logDetails(record.config, record.hostConfig)} ` : undefined;
  const output = frames(file, { ...query, follow }, { ...query, details });
  return { tty: record.config.Tty === true, output };
}

/** A client's hold on the streams; see `Containers.attach`. May come before the start: it sees all of the run then. */
export function attachContainer(context: Context, record: ContainerRecord, query: AttachQuery): Attachment {
  requireUnpaused(record, 'attach');
  if (record.life.status === 'restarting') throw restarting(record);
  const detach = new AbortController();
  const paths = pathsOf(context, record.id);
  const file = openLog(paths.log);
  const running = record.life.status === 'running';
  const live =
    query.stream === true && (running || record.life.status === 'created' || record.life.status === 'exited');
  const onEnd: Follow['onEnd'] = (end) => onceSettled(record.exit.promise, end);
  const output = frames(
    file,
    {
      from: query.logs === true ? 0 : file.size(),
      follow: live ? { onEnd, signal: detach.signal, keepsAll: true } : undefined,
    },
    { stdout: query.stdout, stderr: query.stderr },
  );
  const input =
    query.stdin === true && query.stream === true && record.config.OpenStdin === true
      ? inputOf(record, paths.bundle)
      : undefined;
  context.record(record, 'attach');
  return {
    tty: record.config.Tty === true,
    output,
    input: input?.stream,
    detached: () => context.record(record, 'detach'),
    close() {
      detach.abort();
      input?.close();
      file.close();
    },
  };
}

/** Calls back as `onEnd` does, and at a moment in nanoseconds where there is one. */
function orMoment(moment: bigint | undefined, onEnd: Follow['onEnd']): Follow['onEnd'] {
  if (moment === undefined) return onEnd;
  return (end) => {
    const hold = onEnd(end);
    const timer = setTimeout(end, Math.min(Number(moment / 1_000_000n) - Date.now(), MAX_TIMER_MS));
    return {
      [Symbol.dispose]() {
        hold[Symbol.dispose]();
        clearTimeout(timer);
      },
    };
  };
}

function inputOf(record: ContainerRecord, bundle: string) {
  if (record.life.status === 'running') return openInput(bundle);
  const waiting = new PassThrough();
  // A client that went away before the start: nobody waits for the error.
  waiting.on('error', () => waiting.destroy());
  record.waitingInputs.add(waiting);
  return {
    stream: waiting,
    close() {
      record.waitingInputs.delete(waiting);
      waiting.end();
    },
  };
}

async function* frames(
  file: LogFile,
  window: LogWindow,
  streams: {
    readonly stdout?: boolean | undefined;
    readonly stderr?: boolean | undefined;
    readonly timestamps?: boolean | undefined;
    readonly details?: string | undefined;
  },
): AsyncGenerator<StreamFrame> {
  const options = {
    timestamps: streams.timestamps === true,
    details: streams.details,
    within: { stdout: false, stderr: false },
  };
  const both = streams.stdout === true && streams.stderr === true;
  try {
    for await (const records of readLog(file, window)) {
      yield* framesOf(both ? records : records.filter(({ stream }) => streams[stream] === true), options);
    }
  } finally {
    file.close();
  }
}
