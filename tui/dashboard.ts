import type { Client } from '../engine/client/index.ts';
import { createOperator, isVerb, type Operator, type Question } from './feed/operate.ts';
import { createSelectionFeed, type SelectionFeed } from './feed/selection.ts';
import { watchEngine } from './feed/watch.ts';
import { type ActionName, actionOf } from './input/keymap.ts';
import type { KeyName } from './input/keys.ts';
import { navigation } from './input/navigate.ts';
import { pasteInFilter, pressInFilter, pressInHelp } from './input/prompts.ts';
import { layoutScreen } from './layout.ts';
import { visibleEntries } from './lists/visible.ts';
import { createLogRing, type LogRing } from './logs/ring.ts';
import { type Model, startModel } from './model.ts';
import { settle } from './settle.ts';
import { createStore } from './store.ts';

/** New lines of a log are drawn at most so often. */
const LOG_FRAME_MS = 33;
const MIN_TICK_MS = 1_000;
const MAX_TICK_MS = 24 * 60 * 60 * 1000;

/** The dashboard without its screen: what it knows, and what keys do to it. */
export type Dashboard = {
  readonly model: () => Model;
  readonly log: () => LogRing;
  /** Tells of every change of the model, and of new lines of the log. Gives the function that ends it. */
  subscribe(listener: () => void): () => void;
  press(key: KeyName): void;
  paste(text: string): void;
  resize(size: { readonly columns: number; readonly rows: number }): void;
  /** Starts following an engine. */
  connect(client: Client): void;
  /** Shows what went wrong before there was an engine to talk to. */
  fail(error: { readonly message: string; readonly hint: string | undefined }): void;
  quit(): void;
  /** Resolves when the user is done. */
  readonly done: Promise<void>;
  /** Lets go of all streams and timers. */
  close(): void;
};

export function createDashboard(options: {
  readonly host: string;
  readonly size: { readonly columns: number; readonly rows: number };
  readonly colour: boolean;
  /** Resolves when the terminal takes more; undefined where it does now. */
  readonly busy?: () => Promise<unknown> | undefined;
}): Dashboard {
  const { host, size, colour } = options;
  const store = createStore<Model>(startModel({ host, ...size, nowMs: Date.now() }));
  const stop = new AbortController();
  const done = Promise.withResolvers<void>();
  const emptyLog = createLogRing(1);
  const listeners = new Set<() => void>();
  let feed: SelectionFeed | undefined;
  let operator: Operator | undefined;
  let logTimer: NodeJS.Timeout | undefined;
  let tick: NodeJS.Timeout | undefined;
  let tickAtMs = 0;

  const notify = () => {
    for (const listener of [...listeners]) listener();
  };
  const update = (change: (model: Model) => Model) => {
    store.update((before) => settle(change(before), before));
  };
  store.subscribe(() => {
    feed?.look();
    scheduleTick();
    notify();
  });

  /** Ages go on by themselves: wakes when the first of those on the screen changes, and not before. */
  function scheduleTick(): void {
    const model = store.get();
    const { top } = model.cursors[model.view];
    const shown = visibleEntries(model).slice(top, top + layoutScreen(model).list);
    const nextMs = Math.min(...shown.map((entry) => entry.changesAtMs));
    if (nextMs === tickAtMs) return;
    clearTimeout(tick);
    tickAtMs = nextMs;
    if (!Number.isFinite(nextMs) || stop.signal.aborted) return;
    const waitMs = Math.max(MIN_TICK_MS, Math.min(nextMs - Date.now(), MAX_TICK_MS));
    tick = setTimeout(() => {
      tickAtMs = 0;
      update((now) => ({ ...now, nowMs: Date.now() }));
    }, waitMs);
  }

  /** One frame for all lines that come meanwhile; none while the terminal still takes the last ones. */
  function onLines(): void {
    logTimer ??= setTimeout(async () => {
      await options.busy?.();
      logTimer = undefined;
      notify();
    }, LOG_FRAME_MS);
  }

  const extent = () => {
    const ring = feed?.ring() ?? emptyLog;
    return { first: ring.first(), end: ring.end() };
  };

  function act(action: ActionName): void {
    const move = navigation[action];
    if (action === 'quit') done.resolve();
    else if (isVerb(action)) operator?.request(action);
    else if (move !== undefined) update((model) => move(model, extent()));
  }

  function answer(question: Question, key: KeyName): void {
    // Only a clear no or yes: a key pressed in passing neither removes nor hides the question.
    if (!['y', 'Y', 'n', 'N', 'esc'].includes(key)) return;
    update((model) => ({ ...model, prompt: undefined }));
    if (key === 'y' || key === 'Y') operator?.confirm(question);
  }

  function pressInPrompt(prompt: NonNullable<Model['prompt']>, key: KeyName): void {
    if (prompt.kind === 'filter') update((model) => pressInFilter(model, key));
    else if (key === 'ctrl-c') done.resolve();
    else if (prompt.kind === 'help') update((model) => pressInHelp(model, key));
    else answer(prompt, key);
  }

  return {
    model: store.get,
    log: () => feed?.ring() ?? emptyLog,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    press(key) {
      const { prompt, notice } = store.get();
      if (prompt !== undefined) return pressInPrompt(prompt, key);
      if (notice !== undefined) update((model) => ({ ...model, notice: undefined }));
      // The first Esc takes the message away, and only that.
      if (key === 'esc' && notice !== undefined) return;
      const action = actionOf(key);
      if (action !== undefined) act(action);
    },
    paste(text) {
      // Pasted text is never read as commands.
      if (store.get().prompt?.kind === 'filter') update((model) => pasteInFilter(model, text));
    },
    resize: (next) => update((model) => ({ ...model, size: next })),
    connect(client) {
      const { signal } = stop;
      feed = createSelectionFeed({ client, model: store.get, update, colour, onLines });
      operator = createOperator({ client, model: store.get, update, signal });
      void watchEngine({ client, update, signal });
    },
    fail: ({ message, hint }) =>
      update((model) => ({ ...model, connection: { status: 'lost', message, hint } })),
    quit: () => done.resolve(),
    done: done.promise,
    close() {
      stop.abort();
      feed?.stop();
      clearTimeout(tick);
      clearTimeout(logTimer);
    },
  };
}
