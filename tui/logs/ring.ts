/** The last so many lines of a log. Lines are numbered from its start; the oldest make room for the newest. */
export type LogRing = {
  push(line: string): void;
  /** Number of the oldest line that is still there. */
  readonly first: () => number;
  /** Number of the line that comes next. */
  readonly end: () => number;
  /** The lines from `from` to before `to`, as far as they are still there. */
  slice(from: number, to: number): readonly string[];
};

export function createLogRing(capacity: number): LogRing {
  const lines: string[] = [];
  let end = 0;
  const first = () => Math.max(0, end - capacity);
  return {
    push(line) {
      lines[end % capacity] = line;
      end += 1;
    },
    first,
    end: () => end,
    slice(from, to) {
      const out: string[] = [];
      for (let number = Math.max(from, first()); number < Math.min(to, end); number += 1) {
        out.push(lines[number % capacity] ?? '');
      }
      return out;
    },
  };
}
