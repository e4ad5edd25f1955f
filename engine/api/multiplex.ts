/** One frame of an attach, logs or exec stream without a terminal. */
export type StreamFrame = { readonly stream: 'stdin' | 'stdout' | 'stderr'; readonly data: Buffer };

const names = ['stdin', 'stdout', 'stderr'] as const;
const HEADER = 8;
/** A frame longer than this is a protocol error, not data: dockerd itself writes at most 32 KiB a frame. */
const MAX_FRAME = 64 * 1024 * 1024;

/** Packs bytes into a frame: stream number, three zero bytes, big-endian length, data (Engine API, ContainerAttach). */
export function encodeFrame(stream: StreamFrame['stream'], data: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(HEADER + data.length);
  frame.fill(0, 0, 4);
  frame[0] = names.indexOf(stream);
  frame.writeUInt32BE(data.length, 4);
  frame.set(data, HEADER);
  return frame;
}

/** Takes frames out of a byte stream, whatever its chunks. Throws on a header that no engine writes. */
export async function* decodeFrames(source: AsyncIterable<Uint8Array>): AsyncGenerator<StreamFrame> {
  let pending: Buffer = Buffer.alloc(0);
  for await (const chunk of source) {
    pending =
      pending.length === 0
        ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length)
        : Buffer.concat([pending, chunk]);
    while (pending.length >= HEADER) {
      const stream = names[pending[0] ?? 255];
      const length = pending.readUInt32BE(4);
      if (stream === undefined || length > MAX_FRAME) {
        throw new Error(
          `not a multiplexed stream: frame header ${pending.subarray(0, HEADER).toString('hex')}`,
        );
      }
      if (pending.length < HEADER + length) break;
      yield { stream, data: pending.subarray(HEADER, HEADER + length) };
      pending = pending.subarray(HEADER + length);
    }
  }
}
