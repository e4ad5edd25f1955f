import { executing } from './testing/executing.ts';
import type { Behaviours } from './testing/given.ts';
import { life } from './testing/life.ts';
import { observing } from './testing/observing.ts';
import { testOnPeer } from './testing/on-peer.ts';
import { pulling } from './testing/pulling.ts';
import { reading } from './testing/reading.ts';
import { running } from './testing/running.ts';
import { terminals } from './testing/terminals.ts';

/** Of each kind what its API is most likely to do differently. */
const smoke = [
  /^run ends with/,
  /^what is piped in/,
  /^run -d prints/,
  /^create makes/,
  /^signals are passed on/,
  /^attach shows/,
  /^logs/,
  /^ps has/,
  /^images has/,
  /^inspect finds/,
  /^events/,
  /^pause and unpause/,
  /^rename/,
  /^stats --no-stream/,
  /^top prints/,
  /^port prints/,
  /^system df/,
  /^version and info/,
  /^pull prints/,
  /^credentials/,
  /^run -it gives/,
  /^Ctrl-P Ctrl-Q/,
  /^exec/,
];
const everything: Behaviours = {
  ...running,
  ...life,
  ...reading,
  ...pulling,
  ...terminals,
  ...executing,
  ...observing,
};

await testOnPeer(
  'podman',
  Object.fromEntries(Object.entries(everything).filter(([name]) => smoke.some((start) => start.test(name)))),
);
