import { copying } from './testing/copying.ts';
import { creating } from './testing/creating.ts';
import { executing } from './testing/executing.ts';
import { life } from './testing/life.ts';
import { observing } from './testing/observing.ts';
import { testOnPeer } from './testing/on-peer.ts';
import { pulling } from './testing/pulling.ts';
import { reading } from './testing/reading.ts';
import { running } from './testing/running.ts';
import { terminals } from './testing/terminals.ts';

/** dockerd is the oracle: what the command line expects of an engine has to hold there too. */
await testOnPeer('dockerd', {
  ...running,
  ...creating,
  ...reading,
  ...pulling,
  ...terminals,
  ...life,
  ...executing,
  ...observing,
  ...copying,
});
