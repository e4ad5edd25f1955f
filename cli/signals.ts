import { BerthError } from '../engine/api/errors.ts';

/** Signals that a person or a supervisor sends to a command, and that `run` passes on to the container. */
const caught = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const;
export type CaughtSignal = (typeof caught)[number];

/** Those that end a command; without a handler the others would too, but nobody cancels with them. */
const ending: readonly CaughtSignal[] = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'];
const numbers: Readonly<Partial<Record<CaughtSignal, number>>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGTERM: 15,
};

/** What happens when signals come: a command is cancelled by them, until it asks for them itself. */
export type Signals = {
  /** Aborted, with a `cancelled` error, by the first signal that ends a command. */
  readonly cancelled: AbortSignal;
  /** Exit code for the signal that cancelled: 130 for Ctrl-C. */
  exitCode(): number;
  /** Sends every signal to `take` from here on, until the result is disposed of. */
  redirect(take: (signal: CaughtSignal) => void): Disposable;
  /** Stops listening: what runs from here on has handlers of its own. */
  stop(): void;
};

/** Starts to listen for signals. A second one that would cancel ends the process at once. */
export function listenForSignals(): Signals {
  const controller = new AbortController();
  let redirected: ((signal: CaughtSignal) => void) | undefined;
  let by: CaughtSignal = 'SIGINT';
  const exitCode = () => 128 + (numbers[by] ?? 2);
  function onSignal(signal: NodeJS.Signals): void {
    if (redirected !== undefined) redirected(signal as CaughtSignal);
    if (redirected !== undefined || !ending.includes(signal as CaughtSignal)) return;
    if (controller.signal.aborted) process.exit(exitCode());
    by = signal as CaughtSignal;
    controller.abort(new BerthError('cancelled', `cancelled by ${signal}`));
  }
  for (const signal of caught) process.on(signal, onSignal);
  return {
    cancelled: controller.signal,
    exitCode,
    redirect(take) {
      redirected = take;
      return {
        [Symbol.dispose]() {
          redirected = undefined;
        },
      };
    },
    stop() {
      for (const signal of caught) process.removeListener(signal, onSignal);
    },
  };
}
