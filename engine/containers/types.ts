import type { Filters } from '../api/fields.ts';
import type { ContainerInspect, ContainerSummary, CreateContainerBody, WaitResult } from '../api/wire.ts';
import type { ArchiveApi } from './archive.ts';
import type { Attachment, Output } from './attachment.ts';
import type { CheckApi } from './check.ts';
import type { CommitApi } from './commit.ts';
import type { ExecApi } from './exec.ts';
import type { NetworkingApi } from './networking.ts';
import type { PauseApi } from './pause.ts';
import type { PruneApi } from './prune.ts';
import type { LinkApi } from './remove.ts';
import type { RenameApi } from './rename.ts';
import type { StatsApi } from './stats.ts';
import type { TopApi } from './top.ts';
import type { UpdateApi } from './update.ts';

export type { Attachment, Output } from './attachment.ts';

export type WaitCondition = 'not-running' | 'next-exit' | 'removed';

export type LogQuery = {
  readonly follow?: boolean | undefined;
  readonly stdout?: boolean | undefined;
  readonly stderr?: boolean | undefined;
  /** Moments in nanoseconds since 1970. */
  readonly since?: bigint | undefined;
  readonly until?: bigint | undefined;
  /** The last so many lines; all where it is not given. */
  readonly tail?: number | undefined;
  readonly timestamps?: boolean | undefined;
  /** Put before each line which labels and variables the log's options name. */
  readonly details?: boolean | undefined;
};

/** The containers of one engine. All names are resolved as docker does: name, id, or unique prefix of an id. */
export type Containers = ArchiveApi &
  CommitApi & {
    /** Throws `invalid`, `notFound` (no such image), `conflict` (name in use), `unsupported` (a field by name). */
    create(
      body: CreateContainerBody,
      options: { readonly name?: string | undefined; readonly platform?: string | undefined },
    ): Promise<{ readonly Id: string; readonly Warnings: readonly string[] }>;
    list(query: {
      readonly all?: boolean | undefined;
      readonly limit?: number | undefined;
      readonly size?: boolean | undefined;
      readonly filter?: Filters | undefined;
    }): Promise<readonly ContainerSummary[]>;
    inspect(name: string, query?: { readonly size?: boolean | undefined }): Promise<ContainerInspect>;
    /** False where it ran already. */
    start(name: string): Promise<boolean>;
    /** False where it was stopped already. `timeout` in seconds, -1 waits for ever. */
    stop(
      name: string,
      query: { readonly timeout?: number | undefined; readonly signal?: string | undefined },
    ): Promise<boolean>;
    restart(
      name: string,
      query: { readonly timeout?: number | undefined; readonly signal?: string | undefined },
    ): Promise<void>;
    kill(name: string, query: { readonly signal?: string | undefined }): Promise<void>;
    remove(
      name: string,
      query: { readonly force?: boolean | undefined; readonly volumes?: boolean | undefined },
    ): Promise<void>;
    resize(
      name: string,
      query: { readonly height?: number | undefined; readonly width?: number | undefined },
    ): Promise<void>;
    /** Throws `notFound` at once; else gives a promise that is settled when the condition holds. */
    wait(name: string, condition: WaitCondition, signal: AbortSignal): Promise<WaitResult>;
    logs(
      name: string,
      query: LogQuery,
      signal: AbortSignal,
    ): { readonly tty: boolean; readonly output: Output };
    attach(
      name: string,
      query: {
        readonly stdin?: boolean | undefined;
        readonly stdout?: boolean | undefined;
        readonly stderr?: boolean | undefined;
        readonly stream?: boolean | undefined;
        readonly logs?: boolean | undefined;
      },
    ): Attachment;
    /** How many containers are in which state. */
    count(): { readonly running: number; readonly paused: number; readonly stopped: number };
  } & StatsApi &
  TopApi &
  NetworkingApi &
  PauseApi &
  RenameApi &
  LinkApi &
  PruneApi &
  UpdateApi &
  CheckApi &
  ExecApi;
