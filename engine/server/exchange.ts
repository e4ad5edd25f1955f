import type { IncomingHttpHeaders } from 'node:http';
import type { BodyOf, OperationId, PathOf, QueryOf } from '../api/operations.ts';
import type { SystemInfo, VersionInfo } from '../api/wire.ts';
import type { Attachment, Containers } from '../containers/types.ts';
import type { Registry } from '../distribution/registry.ts';
import type { Events } from '../events/types.ts';
import type { ImageStore } from '../images/types.ts';
import type { Networks } from '../networks/types.ts';
import type { Registries } from '../registry/registries.ts';
import type { VolumeKeeper, Volumes } from '../volumes/types.ts';

/** What the routes work on; the composition root supplies it. */
export type ServerParts = {
  readonly containers: Containers;
  readonly images: Omit<
    ImageStore,
    'resolve' | 'lowerDirs' | 'layerKind' | 'close' | 'count' | 'recover' | 'hosted'
  >;
  readonly networks: Pick<Networks, 'list' | 'inspect' | 'create' | 'remove' | 'prune'>;
  readonly volumes: Omit<Volumes, keyof VolumeKeeper>;
  readonly events: Pick<Events, 'follow' | 'record'>;
  readonly registry: Pick<Registry, 'serve'>;
  readonly registries: Registries;
  readonly version: () => VersionInfo;
  readonly info: () => SystemInfo | Promise<SystemInfo>;
  /** Tells the operator of errors that are the engine's own. */
  readonly warn: (message: string) => void;
};

/** A request as its handler sees it: checked against the operations table. */
export type Exchange<Id extends OperationId = OperationId> = {
  readonly path: PathOf<Id>;
  readonly query: QueryOf<Id>;
  readonly body: BodyOf<Id>;
  /** The query as it came, for the few keys that the table doesn't have. */
  readonly parameters: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** The minor number of the API version that the client speaks: 47 for 1.47. */
  readonly apiMinor: number;
  /** Aborts when the client has gone. */
  readonly signal: AbortSignal;
};

type Headers = Readonly<Record<string, string>>;

/** What a handler answers with. */
export type Reply =
  | { readonly kind: 'json'; readonly status?: number; readonly value: unknown }
  | { readonly kind: 'empty'; readonly status: number; readonly headers?: Headers }
  | { readonly kind: 'text'; readonly text: string; readonly headers: Headers }
  /** Headers go out at once; `failure` writes an error that comes later, else the connection breaks off. */
  | {
      readonly kind: 'stream';
      readonly contentType: string;
      readonly headers?: Headers;
      readonly chunks: AsyncIterable<string | Uint8Array>;
      readonly failure?: (error: unknown) => string;
    }
  /** The connection becomes the container's. */
  | {
      readonly kind: 'attach';
      readonly contentType: string;
      readonly attachment: Attachment;
      readonly detachKeys: readonly number[];
    }
  /** The same over a websocket, with nothing but the bytes: no frames of the Engine API. */
  | {
      readonly kind: 'websocket';
      readonly attachment: Attachment;
      readonly detachKeys: readonly number[];
      /** Whether output goes in binary messages, or in text. */
      readonly binary: boolean;
    };

export type Handler<Id extends OperationId> = (exchange: Exchange<Id>) => Reply | Promise<Reply>;
export type Handlers = { readonly [Id in OperationId]: Handler<Id> };

export const json = (value: unknown, status = 200): Reply => ({ kind: 'json', status, value });
export const empty = (status: number, headers: Headers = {}): Reply => ({ kind: 'empty', status, headers });

/** 1.42 gave streams that are cut into frames a type of their own. */
export function streamType(apiMinor: number, tty: boolean): string {
  const framed = apiMinor >= 42 && !tty;
  return `application/vnd.docker.${framed ? 'multiplexed' : 'raw'}-stream`;
}
