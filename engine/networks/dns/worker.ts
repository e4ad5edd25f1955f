import { createSocket } from 'node:dgram';
import { createServer, type Socket } from 'node:net';
import { setPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
import { forward, withLength } from './forward.ts';
import {
  answer,
  codes,
  type Question,
  readQuestion,
  refusal,
  refusalOf,
  reversedAddress,
  types,
} from './message.ts';
import type { Opened, Told } from './protocol.ts';
import { openZones } from './zones.ts';

/**
 * Answers what containers ask of DNS, in a thread of its own: names of their networks from what the engine has told,
 * all others from the name servers of the host. A container asks over sockets on its own loopback, which is how the
 * thread knows who asks.
 */

const MAX_TCP_BYTES = 65535;
/** Of one container, over TCP; and how long such a connection may be silent. */
const MAX_CONNECTIONS = 64;
const SILENT_MS = 10_000;

/** Of 20 to -20: three times the weight of others that want a processor too (sched(7)). */
const NICE = -5;

const zones = openZones();
const open = new Map<string, { close(): void }>();

goFirst();

parentPort?.on('message', (told: Told) => {
  switch (told.kind) {
    case 'open':
      open.get(told.containerId)?.close();
      open.set(told.containerId, listen(told));
      break;
    case 'close':
      open.get(told.containerId)?.close();
      open.delete(told.containerId);
      break;
    case 'join':
      zones.join(told);
      break;
    case 'leave':
      zones.leave(told.containerId, told.networkId);
  }
});

/**
 * Programs wait for each name, and an answer takes some microseconds: while containers start, those waits are the
 * scheduler's. On Linux this is of the calling thread alone (setpriority(2), «C library/kernel differences»).
 */
function goFirst(): void {
  try {
    setPriority(NICE);
  } catch {
    // It takes CAP_SYS_NICE; the answers are the same.
  }
}

function listen(container: Opened): { close(): void } {
  const udp = createSocket('udp4');
  udp.on('error', () => undefined);
  udp.on('message', (message, { port, address }) => {
    const reply = (bytes: Buffer) => udp.send(bytes, port, address);
    // The container may have ended while the answer was on its way.
    handle(container, message, false, (bytes) => open.has(container.containerId) && reply(bytes));
  });
  udp.bind({ fd: container.udp });
  const connections = new Set<Socket>();
  const tcp = createServer((socket) => {
    if (connections.size >= MAX_CONNECTIONS) return void socket.destroy();
    connections.add(socket);
    socket.once('close', () => connections.delete(socket));
    serve(container, socket);
  });
  tcp.on('error', () => undefined);
  tcp.listen({ fd: container.tcp });
  return {
    close() {
      udp.close();
      tcp.close();
      for (const socket of connections) socket.destroy();
    },
  };
}

function serve(container: Opened, socket: Socket): void {
  let seen = Buffer.alloc(0);
  socket.on('error', () => socket.destroy());
  socket.setTimeout(SILENT_MS, () => socket.destroy());
  socket.on('data', (chunk: Buffer) => {
    seen = Buffer.concat([seen, chunk]);
    while (seen.length >= 2 && seen.length >= 2 + seen.readUInt16BE(0)) {
      const message = seen.subarray(2, 2 + seen.readUInt16BE(0));
      seen = seen.subarray(2 + message.length);
      handle(
        container,
        Buffer.from(message),
        true,
        (bytes) => socket.writable && socket.write(withLength(bytes)),
      );
    }
  });
}

function handle(container: Opened, message: Buffer, overTcp: boolean, reply: (bytes: Buffer) => void): void {
  const question = readQuestion(message);
  if (question === undefined) return;
  if ('code' in question) {
    reply(refusalOf(message, question.code));
    return;
  }
  const found = known(container.containerId, question);
  if (found !== undefined) reply(answer(question, found, overTcp ? MAX_TCP_BYTES : question.maxBytes));
  else if (zones.isInside(container.containerId)) reply(refusal(question, codes.failed));
  else
    void forward(message, { servers: container.servers, overTcp })
      .catch(() => undefined)
      .then((bytes) => reply(bytes ?? refusal(question, codes.failed)));
}

/** What this engine knows of a name: nothing of a type that it hasn't, undefined for a name that it doesn't know. */
function known(containerId: string, { name, type }: Question): readonly string[] | undefined {
  const address = reversedAddress(name);
  if (address !== undefined) {
    const pointed = type === types.PTR ? zones.nameOf(containerId, address) : undefined;
    return pointed === undefined ? undefined : [pointed];
  }
  const addresses = zones.lookUp(containerId, name);
  if (addresses === undefined) return undefined;
  if (type === types.A) return addresses.filter((each) => !each.includes(':'));
  if (type === types.AAAA) return addresses.filter((each) => each.includes(':'));
  return [];
}
