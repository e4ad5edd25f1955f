import { loadBusybox, peerMissing, startDockerd, startPodman } from './peers.ts';

/**
 * `node workshop/testing/peer.ts dockerd|podman` starts another engine to try a front end on, with busybox in it,
 * and ends it at SIGINT or SIGTERM. Ports given after the name are reachable from it as 127.0.0.1:PORT.
 */
const [name = 'dockerd', ...ports] = process.argv.slice(2);
if (name !== 'dockerd' && name !== 'podman') {
  console.error('usage: node workshop/testing/peer.ts dockerd|podman [PORT]…');
  process.exit(125);
}
const stopped = new Promise<void>((resolve) => {
  // `on`, not `once`: a listener that is gone when execa's own looks for others lets it end this process at once.
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => resolve());
});
await using peer = await (name === 'dockerd' ? startDockerd() : startPodman());
if (peer === undefined) {
  console.error(`${name}: ${await peerMissing(name)}`);
  process.exit(1);
}
await loadBusybox(peer.host);
for (const port of ports) await peer.reachPort(Number(port));
console.log(`export DOCKER_HOST=${peer.host}`);
await stopped;
