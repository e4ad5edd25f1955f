import type { Filters } from '../api/fields.ts';
import type { EventMessage, Labels } from '../api/wire.ts';

/** What happened, in Docker's words. */
export type Happening = {
  readonly type: EventMessage['Type'];
  readonly action: string;
  readonly id: string;
  readonly attributes: Labels;
};

/** The engine's event log: durable, and live. */
export type Events = {
  record(happening: Happening): void;
  /** How many follow what happens now. */
  listeners(): number;
  /**
   * Past events from `since`, then live ones as they come, until `until` or `signal`. Moments are nanoseconds
   * since 1970. Without `since` only live ones. Throws `invalid` on an unknown filter.
   */
  follow(query: {
    readonly since?: bigint | undefined;
    readonly until?: bigint | undefined;
    readonly filter?: Filters | undefined;
    readonly signal: AbortSignal;
  }): AsyncIterable<EventMessage>;
};
