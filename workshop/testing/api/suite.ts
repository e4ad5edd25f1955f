import { containerCases } from './cases-containers.ts';
import { eventCases } from './cases-events.ts';
import { imageCases } from './cases-images.ts';
import { listCases } from './cases-list.ts';
import { streamCases } from './cases-streams.ts';
import { systemCases } from './cases-system.ts';
import { usageCases } from './cases-usage.ts';
import type { Subject } from './wire.ts';

/** What the suite needs beside the engine: a registry that it can pull from. */
export type Harbour = {
  /** Host and port of a registry that has `harbour/busybox:latest`. */
  readonly registry: string;
};

export type Case = (subject: Subject, harbour: Harbour) => Promise<void>;

/** The API suite: what each engine is asked, by the name of the behaviour. */
export const cases: Readonly<Record<string, Case>> = {
  ...systemCases,
  ...imageCases,
  ...containerCases,
  ...listCases,
  ...streamCases,
  ...eventCases,
  ...usageCases,
};
