import { type IncomingHttpHeaders, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { decodeFrames, type StreamFrame } from '../../../engine/api/multiplex.ts';
import { type Asked, type Difference, noteDifference, noteGiven, noteRequest, watched } from './recording.ts';

/** An engine that the API suite asks: by its socket alone, as any client would. */
export type Subject = {
  readonly name: 'berth' | 'dockerd' | 'podman';
  readonly socketPath: string;
  /** Makes a port of this machine's loopback the engine's too. */
  readonly reachPort?: (port: number) => Promise<void>;
};

/** An answer's body. */
// biome-ignore lint/suspicious/noExplicitAny: what stands in it is what the cases find out
export type Loose = any;

export type Answer = {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly bytes: Buffer;
  /** The body as JSON; throws where it is none. */
  readonly json: () => Loose;
  /** The body as JSON lines. */
  readonly lines: () => Loose[];
};

export type Question = {
  /** A value becomes JSON; text and bytes go as they are. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
};

/**
 * Whether a refusal of dockerd's tells only of what other cases do in that moment: it prunes and counts one at a time, and
 * lists no images while one of them is removed.
 */
export const metOthersWork = (refusal: string): boolean =>
  /a (?:prune|disk usage) operation is already running|unrecognized image ID/.test(refusal);

/** Asks `METHOD /path` and reads the whole answer. */
export async function ask(subject: Subject, line: string, question: Question = {}): Promise<Answer> {
  const { status, headers, body, asked } = await begin(subject, line, question);
  const bytes = await body;
  const text = bytes.toString('utf8');
  if (status >= 400 && metOthersWork(text)) return await ask(subject, line, question);
  if (asked !== undefined && status >= 400) asked.refusal = text;
  const read = (json: string) => {
    const value = JSON.parse(json);
    noteGiven(asked, value);
    return watched(asked, value);
  };
  return {
    status,
    headers,
    text,
    bytes,
    json: () => read(text),
    lines: () =>
      text
        .split('\n')
        .filter((row) => row.trim() !== '')
        .map(read),
  };
}

/** Like `ask`, settling as soon as the headers are there. */
export async function begin(
  subject: Subject,
  line: string,
  question: Question = {},
): Promise<{
  status: number;
  headers: IncomingHttpHeaders;
  body: Promise<Buffer>;
  asked: Asked | undefined;
}> {
  const [method = 'GET', path = '/'] = line.split(' ');
  const { body, headers = {}, signal } = question;
  const asked = noteRequest(line, headers, Buffer.isBuffer(body) ? undefined : body);
  const isPlain = body === undefined || typeof body === 'string' || Buffer.isBuffer(body);
  const text = isPlain ? body : JSON.stringify(body);
  return await new Promise((resolve, reject) => {
    const sent = request({
      socketPath: subject.socketPath,
      method,
      path,
      agent: false,
      headers: {
        host: 'engine',
        ...(body === undefined
          ? {}
          : { 'content-type': Buffer.isBuffer(body) ? 'application/x-tar' : 'application/json' }),
        ...(text === undefined ? {} : { 'content-length': Buffer.byteLength(text) }),
        ...headers,
      },
      ...(signal === undefined ? {} : { signal }),
    });
    sent.once('error', reject);
    sent.once('response', (answer) => {
      const whole = answer.toArray().then((chunks: Buffer[]) => Buffer.concat(chunks));
      whole.catch(() => undefined);
      const status = answer.statusCode ?? 0;
      if (asked !== undefined) asked.status = status;
      resolve({ status, headers: answer.headers, body: whole, asked });
    });
    sent.end(text);
  });
}

/** A connection that was taken over: its head, and the bytes after it. */
export type RawStream = {
  readonly status: number;
  /** The head as it came, in lower case. */
  readonly head: string;
  readonly socket: Socket;
  /** What came after the head, until the other side ended. */
  readonly rest: () => Promise<Buffer>;
  /** The same in frames; with pieces of one stream joined: `[['stdout', 'hello\n']]`. */
  readonly frames: () => Promise<readonly (readonly [StreamFrame['stream'], string])[]>;
};

/** Writes a request as it stands here and reads the head of what comes back. */
export async function openRaw(
  subject: Subject,
  line: string,
  options: {
    readonly headers?: readonly string[];
    readonly body?: string;
    /** A connection that has been used already. */
    readonly over?: Socket;
  } = {},
): Promise<RawStream> {
  const { headers = [], body = '' } = options;
  const asked = noteRequest(line, {}, body);
  const socket = options.over ?? connect({ path: subject.socketPath, allowHalfOpen: true });
  const length = body === '' ? [] : [`Content-Length: ${body.length}`, 'Content-Type: application/json'];
  socket.write(`${[`${line} HTTP/1.1`, 'Host: engine', ...headers, ...length].join('\r\n')}\r\n\r\n${body}`);
  let seen = Buffer.alloc(0);
  const head = await new Promise<string>((resolve, reject) => {
    const look = (chunk: Buffer) => {
      seen = Buffer.concat([seen, chunk]);
      const end = seen.indexOf('\r\n\r\n');
      if (end < 0) return;
      socket.off('data', look).off('error', reject).pause();
      const after = seen.subarray(end + 4);
      if (after.length > 0) socket.unshift(after);
      resolve(seen.toString('latin1', 0, end));
    };
    socket.on('data', look).once('error', reject);
    socket.once('end', () => reject(new Error(`ended in the head: ${seen.toString('latin1')}`)));
  });
  const status = Number(head.split(' ')[1]);
  if (asked !== undefined) asked.status = status;
  return {
    status,
    head: head.toLowerCase(),
    socket,
    rest: async () => Buffer.concat(await socket.toArray()),
    frames: () => joinFrames(socket),
  };
}

/** Writes text to a connection of its own, half-closes it, and gives all that comes back. */
export async function converse(subject: Subject, text: string): Promise<string> {
  const socket = connect({ path: subject.socketPath, allowHalfOpen: true });
  socket.end(text);
  return Buffer.concat(await socket.toArray()).toString('utf8');
}

export const UPGRADE = ['Connection: Upgrade', 'Upgrade: tcp'] as const;

/** Frames with neighbours of one stream joined. */
export async function joinFrames(source: AsyncIterable<Buffer>) {
  const joined: [StreamFrame['stream'], string][] = [];
  for await (const { stream, data } of decodeFrames(source)) {
    const last = joined.at(-1);
    if (last?.[0] === stream) last[1] += data.toString('utf8');
    else joined.push([stream, data.toString('utf8')]);
  }
  return joined;
}

/** Where the oracle legitimately answers something else: what each says, and why. */
export function differs<B, D>(
  subject: Subject,
  answers: Difference & { readonly berth: B; readonly dockerd: D },
): B | D {
  noteDifference(answers);
  return subject.name === 'berth' ? answers.berth : answers.dockerd;
}

/** What an engine calls the network of a container that names none. */
export const defaultNetwork = {
  berth: 'bridge',
  dockerd: 'default',
  because: 'dockerd 20.10 keeps the word; later ones write the network that it means',
} as const;
