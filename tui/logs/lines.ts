const NEWLINE = 0x0a;

/**
 * Cuts a byte stream into lines, whatever its chunks. A line longer than `maxBytes` is cut there and ends
 * with `…`: a container that writes megabytes without a line break must not fill the memory.
 */
export function createLineSplitter(
  maxBytes: number,
  onLine: (line: string) => void,
): { push(chunk: Buffer): void; flush(): void } {
  let parts: Buffer[] = [];
  let length = 0;
  let isCut = false;

  function keep(bytes: Buffer): void {
    const room = maxBytes - length;
    if (bytes.length > room) isCut = true;
    if (room <= 0 || bytes.length === 0) return;
    // A copy: a slice would keep the whole chunk alive.
    parts.push(Buffer.from(bytes.subarray(0, room)));
    length += Math.min(room, bytes.length);
  }

  function finish(): void {
    const [only] = parts;
    const bytes = parts.length === 1 && only !== undefined ? only : Buffer.concat(parts);
    onLine(bytes.toString('utf8') + (isCut ? '…' : ''));
    parts = [];
    length = 0;
    isCut = false;
  }

  return {
    push(chunk) {
      let start = 0;
      for (;;) {
        const newline = chunk.indexOf(NEWLINE, start);
        if (newline < 0) break;
        keep(chunk.subarray(start, newline));
        finish();
        start = newline + 1;
      }
      keep(chunk.subarray(start));
    },
    flush() {
      if (length > 0) finish();
    },
  };
}

/** A line as the engine sends it with `timestamps`, taken apart. The time sorts as text. */
export function splitTimestamp(line: string): { readonly time: string; readonly text: string } {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d))(?: |$)/.exec(line);
  if (match?.[1] === undefined) return { time: '', text: line };
  return { time: match[1], text: line.slice(match[0].length) };
}
