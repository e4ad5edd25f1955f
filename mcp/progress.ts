/** How far a call is, for the client that asked to know. */
export type Progress = {
  /** Says how far it is. `done` and `total` are of any one unit; the last words are repeated until the next. */
  report(message: string, done?: number, total?: number): void;
};

/** Sends at most this often, and repeats itself that often: clients give up on calls that keep silent. */
const LEAST_GAP_MS = 200;
const HEARTBEAT_MS = 2000;

export type ProgressParams = {
  readonly progress: number;
  readonly total?: number;
  readonly message: string;
};

/** Progress that goes nowhere: the client gave no token. */
export const silent: Progress & Disposable = { report() {}, [Symbol.dispose]() {} };

/**
 * Progress that is sent by `send`. The specification wants `progress` to grow with every notification, which
 * bytes of layers do not do by themselves: a repeated value is sent one higher.
 */
export function startProgress(send: (params: ProgressParams) => void): Progress & Disposable {
  const started = Date.now();
  let latest:
    | { readonly message: string; readonly done: number; readonly total: number | undefined }
    | undefined;
  let sentValue = 0;
  let sentAt = 0;
  let later: NodeJS.Timeout | undefined;

  function flush(): void {
    clearTimeout(later);
    later = undefined;
    if (latest === undefined) return;
    sentAt = Date.now();
    sentValue = Math.max(latest.done, sentValue + 1);
    const seconds = Math.round((sentAt - started) / 1000);
    send({
      progress: sentValue,
      ...(latest.total === undefined ? {} : { total: Math.max(latest.total, sentValue) }),
      message: seconds < 2 ? latest.message : `${latest.message} (${seconds} s)`,
    });
  }

  const heartbeat = setInterval(flush, HEARTBEAT_MS);
  heartbeat.unref();
  return {
    report(message, done = 0, total) {
      latest = { message, done, total };
      const wait = sentAt + LEAST_GAP_MS - Date.now();
      if (wait <= 0) flush();
      else later ??= setTimeout(flush, wait);
    },
    [Symbol.dispose]() {
      clearInterval(heartbeat);
      clearTimeout(later);
      latest = undefined;
    },
  };
}
