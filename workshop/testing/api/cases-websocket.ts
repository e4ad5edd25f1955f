import assert from 'node:assert/strict';
import { once } from 'node:events';
import { WebSocket } from 'ws';
import type { Case } from './case.ts';
import { make } from './containers.ts';
import { noteRequest } from './recording.ts';
import { ask, type Subject } from './wire.ts';

type Message = { readonly text: string; readonly binary: boolean };

/** Connects, and collects what comes. */
async function openWebSocket(subject: Subject, id: string, version = 'v1.41', more = '') {
  const path = `/${version}/containers/${id}/attach/ws?stream=1&stdin=1&stdout=1&stderr=1${more}`;
  const asked = noteRequest(`GET ${path}`, {}, undefined);
  const socket = new WebSocket(`ws+unix://${subject.socketPath}:${path}`);
  const messages: Message[] = [];
  socket.on('message', (data: Buffer, binary) => messages.push({ text: data.toString(), binary }));
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  await once(socket, 'open');
  if (asked !== undefined) asked.status = 101;
  const text = () => messages.map((message) => message.text).join('');
  return {
    socket,
    messages,
    text,
    /** Settles once that has come. */
    async says(wanted: string): Promise<void> {
      while (!text().includes(wanted)) await once(socket, 'message');
    },
    closed,
  };
}

const interactive = { OpenStdin: true, StdinOnce: true };

export const websocketCases: Readonly<Record<string, Case>> = {
  'attach over a websocket: text and binary messages go in, binary ones come out, and its end is the end of the input':
    async (subject) => {
      await using made = await make(subject, ['sh', '-c', 'echo ready >&2; cat'], interactive);
      await made.start();
      const attached = await openWebSocket(subject, made.id);
      attached.socket.send('as text\n');
      await attached.says('as text\n');
      attached.socket.send(Buffer.from('as bytes\n'));
      await attached.says('as bytes\n');
      assert.ok(attached.messages.every(({ binary }) => binary));
      attached.socket.close();
      await attached.closed;
      assert.equal(await made.ended(), 0);
    },

  "the container's end closes a websocket, and old clients get text": async (subject) => {
    const script = 'read line; echo "got $line"; echo oops >&2; exit 3';
    await using made = await make(subject, ['sh', '-c', script], interactive);
    await made.start();
    const attached = await openWebSocket(subject, made.id, 'v1.27');
    attached.socket.send('this\n');
    await attached.closed;
    assert.equal([...attached.text().split('\n')].sort().join(' '), ' got this oops');
    assert.ok(attached.messages.every(({ binary }) => !binary));
    assert.equal(await made.ended(), 3);
  },

  'what is no websocket, and a container that is not there, are refused': async (subject) => {
    await using made = await make(subject, ['true']);
    assert.equal((await ask(subject, `GET /v1.41/containers/${made.id}/attach/ws?stream=1`)).status, 400);
    const failed = openWebSocket(subject, 'nobody');
    await assert.rejects(failed, /Unexpected server response: 404/);
  },
  'attach over a websocket starts with what was written, and ends by the detach keys': async (subject) => {
    await using made = await make(subject, ['sh', '-c', 'echo before; cat'], { OpenStdin: true, Tty: true });
    await made.start();
    while (!(await ask(subject, `GET /v1.41/containers/${made.id}/logs?stdout=1`)).text.includes('before'));
    const attached = await openWebSocket(subject, made.id, 'v1.41', '&logs=1&detachKeys=ctrl-a,x');
    await attached.says('before');
    attached.socket.send('ahoy\r');
    await attached.says('ahoy');
    attached.socket.send('\x01x');
    await attached.closed;
    assert.equal((await made.inspect()).State.Running, true);
  },
};
