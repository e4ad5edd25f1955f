import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { Writable } from 'node:stream';
import { BerthError, errorBody, errorTable } from '../api/errors.ts';
import type { Reply } from './exchange.ts';
import { outputBytes } from './handlers/streams.ts';

/** The one place where errors become answers: Docker's `message`, with Berth's `code` and `hint` beside it. */
export function sendError(response: ServerResponse, error: BerthError): void {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  sendJson(response, errorTable[error.code].http, errorBody(error));
}

/** Sends what a handler answered. Settles once all of it is written, or the client has gone. */
export async function sendReply(response: ServerResponse, reply: Reply, signal: AbortSignal): Promise<void> {
  switch (reply.kind) {
    case 'json':
      return sendJson(response, reply.status ?? 200, reply.value);
    case 'empty':
      response.writeHead(reply.status, reply.headers).end();
      return;
    case 'text':
      response.writeHead(200, {
        'Content-Type': 'text/plain; charset=utf-8',
        'Content-Length': Buffer.byteLength(reply.text),
        ...reply.headers,
      });
      response.end(reply.text);
      return;
    case 'stream':
      return await sendStream(response, reply, signal);
    case 'attach': {
      // On a connection that can't be taken over: the output alone, until its end.
      const { attachment, contentType } = reply;
      response.useChunkedEncodingByDefault = false;
      try {
        const chunks = outputBytes(attachment.output, attachment.tty);
        await sendStream(response, { kind: 'stream', contentType, chunks }, signal);
      } finally {
        attachment.close();
      }
      return;
    }
    case 'websocket':
      reply.attachment.close();
      throw new BerthError('invalid', 'bad request: not a websocket', {
        hint: 'ask for an upgrade to websocket',
      });
  }
}

function sendJson(response: ServerResponse, status: number, value: unknown): void {
  const text = `${JSON.stringify(value)}\n`;
  response.writeHead(status, {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(text),
  });
  response.end(text);
}

async function sendStream(
  response: ServerResponse,
  reply: Extract<Reply, { kind: 'stream' }>,
  signal: AbortSignal,
): Promise<void> {
  response.writeHead(200, { 'Content-Type': reply.contentType, ...reply.headers });
  response.flushHeaders();
  try {
    await writeAll(response, reply.chunks, signal);
  } catch (error) {
    if (signal.aborted) return;
    // Without words of its own the stream breaks off, so that what came is not taken for all.
    if (reply.failure === undefined) {
      response.destroy();
      throw error;
    }
    response.write(reply.failure(error));
  }
  response.end();
}

/** Writes chunks as fast as the reader takes them; stops when `signal` aborts. */
export async function writeAll(
  out: Writable,
  chunks: AsyncIterable<string | Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  for await (const chunk of chunks) {
    if (signal.aborted) return;
    if (!out.write(chunk)) await once(out, 'drain', { signal });
  }
}
