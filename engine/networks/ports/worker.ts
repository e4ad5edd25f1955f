import { createSocket, type Socket as DatagramSocket } from 'node:dgram';
import { BlockList, createServer, connect as dial, isIPv6, type Socket } from 'node:net';
import { parentPort } from 'node:worker_threads';
import type { Destination, KeptOut, Opened, Told } from './protocol.ts';

/**
 * Carries what reaches a published port past the kernel's rules, in a thread of its own: from the host's ::1, which no
 * rule can lead to another interface; over IPv6 to containers that have none; and all of it while somebody has taken
 * the rules away.
 */

/** How long nothing comes and goes between two that speak UDP before they are forgotten: as docker's proxy has it. */
const SILENT_MS = 90_000;
/** Of one port, over UDP. */
const MAX_PEERS = 1024;

/** `close` ends when its socket is closed: its port is free. */
type Carrier = { to: Destination; close(done: () => void): void };
const carriers = new Map<number, Carrier>();
let isKeptOut: (address: string | undefined) => boolean = () => false;

parentPort?.on('message', (told: Told) => {
  switch (told.kind) {
    case 'open':
      carriers.set(told.id, told.protocol === 'tcp' ? carryStreams(told) : carryDatagrams(told));
      break;
    case 'keepOut':
      isKeptOut = keeping(told);
      break;
    case 'aim': {
      const carrier = carriers.get(told.id);
      if (carrier !== undefined) carrier.to = told.to;
      break;
    }
    case 'close': {
      const done = () => parentPort?.postMessage(told.id);
      const carrier = carriers.get(told.id);
      carriers.delete(told.id);
      if (carrier === undefined) done();
      else carrier.close(done);
    }
  }
});

/** The rules don't see what a container sends to a socket of the host's as being on its way to another. */
function keeping({ subnets, bridges }: KeptOut): typeof isKeptOut {
  const list = new BlockList();
  for (const subnet of subnets) {
    const [base = '', prefix] = subnet.split('/');
    list.addSubnet(base, Number(prefix), isIPv6(base) ? 'ipv6' : 'ipv4');
  }
  return (from = '') => {
    const [address = '', zone = ''] = from.split('%');
    return bridges.includes(zone) || list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
  };
}

function carryStreams({ fd, to }: Opened): Carrier {
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (near) => {
    if (isKeptOut(near.remoteAddress)) return near.resetAndDestroy();
    const far = dial({ host: carrier.to.address, port: carrier.to.port, allowHalfOpen: true, noDelay: true });
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(socket);
      // One that ends early ends the other: whoever speaks on is told that nobody listens.
      socket.on('error', () => other.resetAndDestroy());
      socket.once('close', () => {
        open.delete(socket);
        if (!socket.readableEnded) other.destroy();
      });
      socket.pipe(other);
    }
  });
  server.on('error', () => undefined);
  server.listen({ fd });
  const carrier: Carrier = {
    to,
    close(done) {
      server.close(done);
      for (const socket of open) socket.destroy();
    },
  };
  return carrier;
}

function carryDatagrams({ fd, six, to }: Opened): Carrier {
  const near = createSocket(six ? 'udp6' : 'udp4');
  const peers = new Map<string, { readonly far: DatagramSocket; readonly timer: NodeJS.Timeout }>();
  const forget = (key: string) => {
    const peer = peers.get(key);
    if (peer === undefined) return;
    peers.delete(key);
    clearTimeout(peer.timer);
    peer.far.close();
  };
  near.on('error', () => undefined);
  near.on('message', (message, { address, port }) => {
    if (isKeptOut(address)) return;
    const key = `${address} ${port}`;
    const known = peers.get(key);
    if (known !== undefined) {
      known.timer.refresh();
      known.far.send(message, carrier.to.port, carrier.to.address);
      return;
    }
    const [oldest] = peers.keys();
    if (peers.size >= MAX_PEERS && oldest !== undefined) forget(oldest);
    const far = createSocket(carrier.to.address.includes(':') ? 'udp6' : 'udp4');
    const timer = setTimeout(() => forget(key), SILENT_MS);
    timer.unref();
    peers.set(key, { far, timer });
    far.on('error', () => forget(key));
    far.on('message', (answer, from) => {
      // Nobody else may speak in the container's name.
      if (from.address !== carrier.to.address || from.port !== carrier.to.port) return;
      timer.refresh();
      near.send(answer, port, address);
    });
    far.send(message, carrier.to.port, carrier.to.address);
  });
  near.bind({ fd });
  const carrier: Carrier = {
    to,
    close(done) {
      for (const key of [...peers.keys()]) forget(key);
      near.close(done);
    },
  };
  return carrier;
}
