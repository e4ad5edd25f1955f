import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import test from 'node:test';
import {
  loadBusybox,
  type Peer,
  peerMissing,
  startDockerd,
  startPodman,
} from '../../workshop/testing/peers.ts';
import { bundleBerth } from './berth.ts';
import type { Behaviours } from './given.ts';

/** Declares a test of the command line on another engine. */
export async function testOnPeer(engine: Peer['name'], behaviours: Behaviours): Promise<void> {
  const skip = (await peerMissing(engine)) ?? false;
  test(`on ${engine}`, { skip }, async (t) => {
    const registryPort = await freePort();
    await using berth = await bundleBerth();
    const options = { insecureRegistries: [`127.0.0.1:${registryPort}`] };
    await using peer = await (engine === 'dockerd' ? startDockerd(options) : startPodman(options));
    if (peer === undefined) return;
    await loadBusybox(peer.host);
    await peer.reachPort(registryPort);
    const reachPort = async (port: number) => {
      if (port !== registryPort) await peer.reachPort(port);
    };
    const given = { berth, engine, host: peer.host, registryPort, reachPort };
    for (const [behaviour, check] of Object.entries(behaviours)) await t.test(behaviour, () => check(given));
  });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
