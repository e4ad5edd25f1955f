import { connecting } from './connecting.ts';
import { copying } from './copying.ts';
import { creating } from './creating.ts';
import { executing } from './executing.ts';
import type { Behaviours } from './given.ts';
import { life } from './life.ts';
import { logins } from './logins.ts';
import { observing } from './observing.ts';
import { pulling } from './pulling.ts';
import { pushing } from './pushing.ts';
import { reading } from './reading.ts';
import { registries } from './registries.ts';
import { running } from './running.ts';
import { storing } from './storing.ts';
import { terminals } from './terminals.ts';

/** All that the command line is to do. */
export const everything: Behaviours = {
  ...running,
  ...creating,
  ...reading,
  ...pulling,
  ...pushing,
  ...logins,
  ...registries,
  ...terminals,
  ...life,
  ...executing,
  ...observing,
  ...copying,
  ...connecting,
  ...storing,
};

/** Of each kind what another engine's API is most likely to do differently. */
const onEveryEngine = [
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
  /^a published port/,
  /^system df/,
  /^version and info/,
  /^pull prints/,
  /^credentials/,
  /^run -it gives/,
  /^Ctrl-P Ctrl-Q/,
  /^exec/,
];

/** What podman 4.3 has no API for, or another. */
const onDockerd = [
  /^container prune/,
  /^stop, restart and kill/,
  /^limits/,
  /^update/,
  /^cp takes/,
  /^diff/,
  /^commit/,
  /^push/,
  /^login keeps/,
  /^search/,
  /^network/,
  /^volume/,
  /^a mount says/,
  /^a directory (of the host|in memory)/,
];

const chosen = (starts: readonly RegExp[]): Behaviours =>
  Object.fromEntries(Object.entries(everything).filter(([name]) => starts.some((start) => start.test(name))));

/** What is run on other engines too: a part, for each command is a program to start, there as here. */
export const smoke = {
  podman: chosen(onEveryEngine),
  dockerd: chosen([...onEveryEngine, ...onDockerd]),
} as const;
