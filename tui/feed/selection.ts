import { toBerthError } from '../../engine/api/errors.ts';
import type { Client } from '../../engine/client/index.ts';
import { layoutScreen } from '../layout.ts';
import type { ViewName } from '../lists/entry.ts';
import { selectedEntry } from '../lists/visible.ts';
import { followLog, type LogPosition } from '../logs/follow.ts';
import { createLogRing, type LogRing } from '../logs/ring.ts';
import type { Inspected, Model } from '../model.ts';
import type { Update } from './refresh.ts';

const MAX_LOG_LINES = 10_000;
/** The selection has to rest so long before the engine is asked, when the cursor flies through the list. */
const REST_MS = 80;

/** What is selected, and what has been asked about it. */
type Selection = {
  readonly view: ViewName;
  readonly key: string;
  readonly target: string;
  readonly stop: AbortController;
  readonly ring: LogRing;
  readonly position: LogPosition;
  /** The list's line when it was last inspected: another one means that something has changed. */
  summary: unknown;
  tty: boolean | undefined;
  log: 'none' | 'open' | 'ended';
};

export type SelectionFeed = {
  /** Looks at the model and asks the engine for what the details need. */
  look(): void;
  readonly ring: () => LogRing;
  stop(): void;
};

/** Keeps the details of the selected entry: its inspection, and for a container its log while it is shown. */
export function createSelectionFeed(options: {
  readonly client: Client;
  readonly model: () => Model;
  readonly update: Update;
  readonly colour: boolean;
  readonly onLines: () => void;
}): SelectionFeed {
  const { client, model, update, colour, onLines } = options;
  let selection: Selection | undefined;
  let connected = false;
  let timer: NodeJS.Timeout | undefined;
  let changedAtMs = 0;
  const emptyRing = createLogRing(1);

  function isCurrent(one: Selection): boolean {
    return one === selection && !one.stop.signal.aborted;
  }

  async function inspect(one: Selection): Promise<void> {
    const { signal } = one.stop;
    let of: Inspected['of'];
    try {
      if (one.view === 'containers') {
        const answer = await client.call('containerInspect', { id: one.target }, { signal });
        one.tty = answer.Config.Tty ?? false;
        of = { kind: 'container', inspect: answer };
      } else {
        of = {
          kind: 'image',
          inspect: await client.call('imageInspect', { name: one.target }, { signal }),
        };
      }
    } catch (error) {
      of = { kind: 'failed', message: toBerthError(error).message };
    }
    if (!isCurrent(one)) return;
    update((now) => ({ ...now, inspected: { key: one.key, of } }));
    look();
  }

  async function readLog(one: Selection, tty: boolean): Promise<void> {
    one.log = 'open';
    let problem: string | undefined;
    try {
      await followLog({
        client,
        id: one.target,
        tty,
        ring: one.ring,
        position: one.position,
        colour,
        onLines: () => isCurrent(one) && onLines(),
        signal: one.stop.signal,
      });
    } catch (error) {
      problem = toBerthError(error).message;
    }
    one.log = 'ended';
    if (isCurrent(one) && model().connection.status === 'connected') {
      update((now) => (now.logProblem === problem ? now : { ...now, logProblem: problem }));
    }
  }

  function open(one: Selection): void {
    changedAtMs = performance.now();
    void inspect(one);
  }

  function select(next: Selection | undefined): void {
    selection?.stop.abort();
    clearTimeout(timer);
    selection = next;
    if (next === undefined) return;
    const rested = performance.now() - changedAtMs > REST_MS;
    changedAtMs = performance.now();
    if (rested) open(next);
    else timer = setTimeout(() => open(next), REST_MS);
  }

  function look(): void {
    const now = model();
    const wasConnected = connected;
    connected = now.connection.status === 'connected';
    if (!connected) return;
    const entry = selectedEntry(now);
    const summary =
      now.view === 'containers'
        ? now.containers?.find((one) => one.summary.Id === entry?.key)?.summary
        : entry?.key;
    if (entry === undefined) {
      if (selection !== undefined) select(undefined);
      return;
    }
    const one = selection;
    if (one === undefined || one.key !== entry.key) {
      select({
        view: now.view,
        key: entry.key,
        target: entry.target,
        stop: new AbortController(),
        ring: createLogRing(MAX_LOG_LINES),
        position: { time: '' },
        summary,
        tty: undefined,
        log: 'none',
      });
      return;
    }
    if (one.summary !== summary || !wasConnected) {
      one.summary = summary;
      void inspect(one);
      // It may have started again: then there is more to read.
      if (one.log === 'ended') one.log = 'none';
      return;
    }
    const seesLog = now.view === 'containers' && now.tabs.containers === 'Logs';
    if (seesLog && layoutScreen(now).details > 0 && one.log === 'none' && one.tty !== undefined) {
      void readLog(one, one.tty);
    }
  }

  return {
    look,
    ring: () => selection?.ring ?? emptyRing,
    stop() {
      clearTimeout(timer);
      selection?.stop.abort();
    },
  };
}
