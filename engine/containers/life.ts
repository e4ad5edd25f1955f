import { BerthError, isErrno } from '../api/errors.ts';
import { signalProcess } from '../host/processes.ts';
import { resizeTerminal } from '../runtime/monitor.ts';
import { type Context, pathsOf } from './context.ts';
import { removeContainer } from './end.ts';
import { type ContainerRecord, type Ending, exclusively } from './record.ts';
import { parseSignal } from './signals.ts';
import { startContainer } from './start.ts';
import type { Containers } from './types.ts';

const DEFAULT_STOP_TIMEOUT_S = 10;
const SIGTERM = 15;
const SIGKILL = 9;

type Verbs = 'start' | 'stop' | 'restart' | 'kill' | 'remove' | 'resize' | 'wait';

/** What is done to a container over its life. */
export function containerLife(context: Context): Pick<Containers, Verbs> {
  const { store } = context;
  const find = (name: string) => store.find(name);

  return {
    start: (name) => startUnlessRunning(find(name)),

    stop: async (name, query) => await stopContainer(find(name), query),

    async restart(name, query) {
      const record = find(name);
      record.restarting = true;
      try {
        await stopContainer(record, query);
        await startUnlessRunning(record);
      } finally {
        record.restarting = false;
      }
    },

    async kill(name, { signal }) {
      const record = find(name);
      const number = signal === undefined || signal === '' ? SIGKILL : parseSignal(signal);
      await record.queue;
      if (record.life.status !== 'running' || !signalProcess(record.life.process, number)) {
        throw new BerthError(
          'conflict',
          `Cannot kill container: ${name}: Container ${record.id} is not running`,
          {
            hint: `berth start ${record.name}`,
          },
        );
      }
      context.record(record, 'kill', { signal: String(number) });
    },

    async remove(name, { force }) {
      const record = find(name);
      const refuseRunning = () => {
        if (record.life.status !== 'running' || force === true) return;
        throw new BerthError(
          'conflict',
          `You cannot remove a running container ${record.id}. Stop the container before attempting removal or force remove`,
          { hint: `berth rm -f ${record.name}` },
        );
      };
      await record.queue;
      refuseRunning();
      await killAndWait(record);
      await exclusively(record, async () => {
        // One that removed itself at its end is gone: what was asked for is so.
        if (store.byId(record.id) === undefined) return;
        refuseRunning();
        await removeContainer(context, record);
      });
    },

    async resize(name, { height = 0, width = 0 }) {
      const record = find(name);
      if (record.life.status !== 'running') throw notRunning(record);
      try {
        await resizeTerminal(pathsOf(context, record.id).bundle, { rows: height, columns: width });
      } catch (error) {
        // ENXIO: conmon ended with its container.
        if (isErrno(error, 'ENXIO') || isErrno(error, 'ENOENT')) throw notRunning(record);
        throw error;
      }
    },

    async wait(name, condition, signal) {
      const record = find(name);
      const ended = (end: Ending | undefined) => ({ StatusCode: end?.exitCode ?? 0 });
      if (condition === 'not-running' && record.life.status !== 'running') {
        const { life } = record;
        return { StatusCode: life.status === 'removing' ? 0 : life.exitCode };
      }
      const settled = condition === 'removed' ? record.removed.promise : record.exit.promise;
      return ended(await abortable(settled, signal));
    },
  };

  function startUnlessRunning(record: ContainerRecord): Promise<boolean> {
    return exclusively(record, async () => {
      if (record.life.status === 'running') return false;
      if (record.life.status === 'removing') throw beingRemoved(record);
      try {
        await startContainer(context, record);
      } catch (error) {
        if (record.hostConfig.AutoRemove === true) await removeContainer(context, record);
        throw error;
      }
      return true;
    });
  }

  async function stopContainer(
    record: ContainerRecord,
    query: { readonly timeout?: number | undefined; readonly signal?: string | undefined },
  ): Promise<boolean> {
    // One that is being started is stopped as soon as it runs.
    await record.queue;
    if (record.life.status !== 'running') return false;
    const number = query.signal
      ? parseSignal(query.signal)
      : record.config.StopSignal
        ? parseSignal(record.config.StopSignal)
        : SIGTERM;
    const seconds = query.timeout ?? record.config.StopTimeout ?? DEFAULT_STOP_TIMEOUT_S;
    const ended = record.exit.promise;
    if (signalProcess(record.life.process, number))
      context.record(record, 'kill', { signal: String(number) });
    if (!(await settlesWithin(ended, seconds))) {
      await killAndWait(record);
    }
    context.record(record, 'stop');
    return true;
  }

  async function killAndWait(record: ContainerRecord): Promise<void> {
    const ended = record.exit.promise;
    if (record.life.status !== 'running') return;
    if (signalProcess(record.life.process, SIGKILL))
      context.record(record, 'kill', { signal: String(SIGKILL) });
    await ended.catch(() => undefined);
  }
}

function notRunning(record: ContainerRecord): BerthError {
  return new BerthError('conflict', `Container ${record.id} is not running`, {
    hint: `berth start ${record.name}`,
  });
}

function beingRemoved(record: ContainerRecord): BerthError {
  return new BerthError('conflict', `container ${record.id} is being removed`);
}

/** False when the time ran out first. A negative time never runs out. */
async function settlesWithin(promise: Promise<unknown>, seconds: number): Promise<boolean> {
  const settled = promise.then(
    () => true,
    () => true,
  );
  if (seconds < 0) return await settled;
  const timeout = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => timeout.resolve(false), Math.min(seconds * 1000, 2 ** 31 - 1));
  try {
    return await Promise.race([settled, timeout.promise]);
  } finally {
    clearTimeout(timer);
  }
}

async function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
