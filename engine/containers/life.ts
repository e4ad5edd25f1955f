import { BerthError, isErrno } from '../api/errors.ts';
import { signalProcess } from '../host/processes.ts';
import { resizeTerminal } from '../runtime/monitor.ts';
import { type Context, pathsOf } from './context.ts';
import { removeContainer } from './end.ts';
import { isPaused, letGoOn, notRunning } from './pause.ts';
import { type ContainerRecord, exclusively, isActive, noRestarts } from './record.ts';
import { removeByHand } from './remove.ts';
import { requireThere } from './rename.ts';
import { tellFollowers } from './rest.ts';
import { giveUpRestart } from './restarts.ts';
import { parseSignal } from './signals.ts';
import { startContainer } from './start.ts';
import type { Containers } from './types.ts';
import { waitFor } from './wait.ts';

const DEFAULT_STOP_TIMEOUT_S = 10;
/** How often a container that was killed is looked at. */
const LOOK_EVERY_S = 1;
const SIGTERM = 15;
const SIGKILL = 9;

type Verbs = 'start' | 'stop' | 'restart' | 'kill' | 'remove' | 'resize' | 'wait';
type StopQuery = Parameters<Containers['stop']>[1];
/** `startWanted`: it is started again when it has ended. */
type EndOptions = { readonly startWanted?: boolean };

/** What is done to a container over its life. */
export function containerLife(context: Context): Pick<Containers, Verbs> {
  const { store } = context;
  const find = (name: string) => store.find(name);

  return {
    start: (name) => startUnlessRunning(find(name)),

    stop: async (name, query) => await stopContainer(find(name), query),

    async restart(name, query) {
      const record = find(name);
      // Read before anything is done to it: a signal that is none leaves it as it is.
      stopSignalOf(record, query.signal);
      record.restarting += 1;
      try {
        await stopContainer(record, query, { startWanted: true });
        await startUnlessRunning(record);
      } finally {
        record.restarting -= 1;
        // Where it could not be started.
        tellFollowers(record);
      }
      context.record(record, 'restart');
    },

    async kill(name, { signal }) {
      const record = find(name);
      const number = signal === undefined || signal === '' ? SIGKILL : parseSignal(signal);
      const refuse = () =>
        new BerthError('conflict', `Cannot kill container: ${name}: Container ${record.id} is not running`, {
          hint: `berth start ${record.name}`,
        });
      await exclusively(record, async () => {
        if (!isActive(record.life)) throw refuse();
        const between = record.life.status === 'restarting';
        if (!sendSignal(record, number) && !between) throw refuse();
        if (between && record.restarts.endWanted) giveUpRestart(context, record);
      });
    },

    async remove(name, { force = false, volumes = false }) {
      const record = find(name);
      await removeByHand(context, record, { force, volumes, end: () => killAndWait(record) });
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
      context.record(record, 'resize', { height: String(height), width: String(width) });
    },

    wait: (name, condition, signal) => waitFor(find(name), condition, signal),
  };

  function startUnlessRunning(record: ContainerRecord): Promise<boolean> {
    return exclusively(record, async () => {
      if (isPaused(record))
        throw new BerthError('conflict', 'cannot start a paused container, try unpause instead', {
          hint: `berth unpause ${record.name}`,
        });
      if (isActive(record.life)) return false;
      requireThere(context, record);
      const { status } = record.life;
      if (status === 'removing' || status === 'dead') throw beingRemoved(record);
      if (record.restarts !== noRestarts) store.saveLife(record, record.life, noRestarts);
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
    query: StopQuery,
    after: EndOptions = {},
  ): Promise<boolean> {
    const number = stopSignalOf(record, query.signal);
    const seconds = query.timeout ?? record.config.StopTimeout ?? DEFAULT_STOP_TIMEOUT_S;
    // One that is being started is stopped as soon as it runs.
    const ended = await exclusively(record, async () => beginEnd(record, number, after));
    if (ended === undefined) return false;
    if (!(await settlesWithin(ended.promise, seconds))) await killAndWait(record, after);
    context.record(record, 'stop');
    return true;
  }

  async function killAndWait(record: ContainerRecord, after: EndOptions = {}): Promise<void> {
    const ended = await exclusively(record, async () => beginEnd(record, SIGKILL, after));
    if (ended === undefined) return;
    // One that somebody pauses now can't end.
    while (!(await settlesWithin(ended.promise, LOOK_EVERY_S))) letGoOn(context, record);
  }

  /** Lets a container end: gives a promise of that, or undefined for one that doesn't run. The caller holds it. */
  function beginEnd(
    record: ContainerRecord,
    number: number,
    after: EndOptions,
  ): { readonly promise: Promise<unknown> } | undefined {
    if (!isActive(record.life)) return undefined;
    const { promise } = record.exit;
    if (record.life.status === 'running') sendSignal(record, number, { wantsEnd: true, ...after });
    giveUpRestart(context, record);
    return { promise };
  }

  /**
   * Sends a signal and writes that down. A container that gets one has been stopped by hand, and its stop signal or
   * a kill is meant to end it; where it has none of its own docker takes any signal for that. False where the process
   * has ended. The caller holds the record: one that is being paused must not be killed halfway.
   */
  function sendSignal(
    record: ContainerRecord,
    number: number,
    {
      wantsEnd = false,
      startWanted = record.restarts.startWanted,
    }: EndOptions & { readonly wantsEnd?: boolean } = {},
  ): boolean {
    const { StopSignal } = record.config;
    const ends = wantsEnd || !StopSignal || number === SIGKILL || number === parseSignal(StopSignal);
    // Before the signal: the end may come at once.
    const endWanted = ends || record.restarts.endWanted;
    store.saveLife(record, record.life, { ...record.restarts, stoppedByHand: true, endWanted, startWanted });
    if (record.life.status !== 'running' || !signalProcess(record.life.process, number)) return false;
    context.record(record, 'kill', { signal: String(number) });
    if (ends) letGoOn(context, record);
    return true;
  }
}

/** The number of the signal that stops it. Throws `invalid`. */
function stopSignalOf(record: ContainerRecord, given: string | undefined): number {
  if (given) return parseSignal(given);
  return record.config.StopSignal ? parseSignal(record.config.StopSignal) : SIGTERM;
}

function beingRemoved(record: ContainerRecord): BerthError {
  return new BerthError('conflict', 'container is marked for removal and cannot be started', {
    hint: `berth rm ${record.name} removes what is left of it`,
  });
}

/** False when the time ran out first. A negative time never runs out. */
async function settlesWithin(promise: Promise<unknown>, seconds: number): Promise<boolean> {
  const settled = promise.then(() => true);
  if (seconds < 0) return await settled;
  const timeout = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => timeout.resolve(false), Math.min(seconds * 1000, 2 ** 31 - 1));
  try {
    return await Promise.race([settled, timeout.promise]);
  } finally {
    clearTimeout(timer);
  }
}
