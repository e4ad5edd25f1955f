import test from 'node:test';
import { busyboxImage, pushImage } from '../workshop/testing/images.ts';
import { loadBusybox, peerMissing, startDockerd, startPodman } from '../workshop/testing/peers.ts';
import { startRegistry } from '../workshop/testing/registry.ts';
import { smoke } from './testing/smoke.ts';

/** The tools work against other engines too. */
for (const [name, start] of [
  ['dockerd', startDockerd],
  ['podman', startPodman],
] as const) {
  const skip = (await peerMissing(name)) ?? false;
  test(name, { skip }, async (t) => {
    await using registry = await startRegistry();
    await using peer = await start({ insecureRegistries: [registry.host] });
    if (peer === undefined) return;
    await loadBusybox(peer.host);
    await peer.reachPort(Number(registry.host.split(':')[1]));
    const missingImage = `${registry.host}/team/tools:1.0`;
    await pushImage({ registry, name: 'team/tools', tag: '1.0', ...(await busyboxImage()) });
    for (const [behaviour, check] of Object.entries(smoke)) {
      await t.test(behaviour, () => check({ host: peer.host, missingImage }));
    }
  });
}
