import type { Duplex } from 'node:stream';
import type { Attachment } from '../containers/types.ts';
import { watchDetachKeys } from './detach.ts';
import { outputBytes } from './handlers/streams.ts';
import { writeAll } from './reply.ts';

/**
 * Gives a connection to a container: its output goes out as fast as the client takes it, the client's bytes go in
 * as fast as the container takes them, and the client's half-close ends the container's input and nothing else.
 * Settles when the output ends, the client has gone, or it typed the detach keys.
 */
export async function joinStreams(options: {
  readonly socket: Duplex;
  readonly attachment: Attachment;
  readonly detachKeys: readonly number[];
}): Promise<void> {
  const { socket, attachment, detachKeys } = options;
  const gone = new AbortController();
  const leave = () => {
    gone.abort();
    attachment.close();
  };
  socket.on('error', leave);
  socket.on('close', leave);
  socket.once('end', () => askWhetherGone(socket));
  passInput({
    socket,
    input: attachment.input,
    detachKeys,
    detach: () => {
      attachment.detached?.();
      leave();
    },
  });
  try {
    await writeAll(socket, outputBytes(attachment.output, attachment.tty), gone.signal);
  } catch (error) {
    if (!gone.signal.aborted) throw error;
  } finally {
    leave();
    socket.end(() => socket.destroy());
  }
}

/** How long a client that ended its side, and then went, can stay unnoticed where nothing is written to it. */
const ASK_EVERY_MS = 1_000;

/**
 * A client that went away looks like one that only ended its input, until something is written to it. So nothing is: of
 * a write without bytes a unix socket says EPIPE where the other side is closed (unix(7)), and else it does nothing.
 */
function askWhetherGone(socket: Duplex): void {
  const ask = () => {
    if (socket.writable) socket.write('');
  };
  ask();
  const timer = setInterval(ask, ASK_EVERY_MS);
  timer.unref();
  socket.once('close', () => clearInterval(timer));
}

function passInput(options: {
  readonly socket: Duplex;
  readonly input: NodeJS.WritableStream | undefined;
  readonly detachKeys: readonly number[];
  readonly detach: () => void;
}): void {
  const { socket, input, detachKeys, detach } = options;
  if (input === undefined) {
    socket.resume();
    return;
  }
  let open = true;
  const watch = watchDetachKeys(detachKeys);
  socket.on('data', (chunk: Buffer) => {
    const { pass, detached } = watch(chunk);
    if (detached) {
      open = false;
      detach();
    } else if (open && pass.length > 0 && !input.write(pass)) socket.pause();
  });
  socket.on('end', () => {
    if (open) input.end();
    open = false;
  });
  input.on('drain', () => socket.resume());
  // EPIPE: the container closed its input, or has ended. Its output may go on; what the client still sends is dropped.
  input.on('error', () => {
    open = false;
    socket.resume();
  });
}
