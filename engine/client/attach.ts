import type { Duplex } from 'node:stream';
import { decodeFrames, type StreamFrame } from '../api/multiplex.ts';
import type { Client } from './client.ts';
import { chunksOf } from './transport.ts';

/** A front end's hold on a container's streams. */
export type AttachedStreams = {
  /** Ends when the container does, or when `close` is called. With a terminal all of it is `stdout`. */
  readonly output: AsyncIterable<StreamFrame>;
  /** Where bytes for the container go; ending it closes the container's input and leaves the output open. */
  readonly input: NodeJS.WritableStream;
  close(): void;
};

/** Attaches to a container. Throws `notFound`, `conflict`. */
export async function attachContainer(
  client: Client,
  options: {
    readonly id: string;
    /** Whether the container has a terminal: its stream is then not cut into frames. */
    readonly tty: boolean;
    readonly stdin: boolean;
    /** Which of its outputs; both where it is not given. */
    readonly outputs?: { readonly stdout: boolean; readonly stderr: boolean } | undefined;
    /** Start with what it wrote already. */
    readonly logs?: boolean;
    readonly detachKeys?: string | undefined;
  },
): Promise<AttachedStreams> {
  const { id, tty, stdin, outputs, logs = false, detachKeys } = options;
  const socket = await client.upgrade('containerAttach', {
    id,
    stream: true,
    stdin,
    stdout: outputs?.stdout ?? true,
    stderr: outputs?.stderr ?? true,
    logs,
    detachKeys,
  });
  return holdStreams(client, socket, tty);
}

/** Starts a program that `execCreate` prepared, and attaches to it. Throws `notFound`, `conflict`. */
export async function startExec(
  client: Client,
  options: {
    readonly id: string;
    readonly tty: boolean;
    /** Rows and columns of its terminal, from its first line on. */
    readonly consoleSize?: readonly [number, number] | undefined;
  },
): Promise<AttachedStreams> {
  const { id, tty, consoleSize } = options;
  const body = {
    Detach: false,
    Tty: tty,
    ...(consoleSize === undefined ? {} : { ConsoleSize: consoleSize }),
  };
  return holdStreams(client, await client.upgrade('execStart', { id }, { body }), tty);
}

function holdStreams(client: Client, socket: Duplex, tty: boolean): AttachedStreams {
  // What breaks the stream reaches whoever reads the output; writing into a program that is gone is no error.
  socket.on('error', () => {});
  const bytes = chunksOf(socket, client.host);
  return {
    output: tty ? rawFrames(bytes) : decodeFrames(bytes),
    input: socket,
    close: () => socket.destroy(),
  };
}

async function* rawFrames(source: AsyncIterable<Buffer>): AsyncGenerator<StreamFrame> {
  for await (const data of source) yield { stream: 'stdout', data };
}
