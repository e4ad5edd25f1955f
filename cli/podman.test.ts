import { smoke } from './testing/behaviours.ts';
import { testOnPeer } from './testing/on-peer.ts';

await testOnPeer('podman', smoke.podman);
