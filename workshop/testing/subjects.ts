import { startEngine } from './engine.ts';
import { loadBusybox, peerMissing, startDockerd } from './peers.ts';

/** The engines that the same cases are run on, and why one of them is left out here. */
export const subjects = {
  berth: { skip: undefined, start: () => startEngine() },
  // The oracle: what holds of it is what clients expect.
  dockerd: {
    skip: await peerMissing('dockerd'),
    start: async () => {
      const peer = await startDockerd();
      if (peer !== undefined) await loadBusybox(peer.host);
      return peer;
    },
  },
} as const;
