import { smoke } from './testing/behaviours.ts';
import { testOnPeer } from './testing/on-peer.ts';

/** dockerd is the oracle: what the command line expects of an engine has to hold there too. */
await testOnPeer('dockerd', smoke.dockerd);
