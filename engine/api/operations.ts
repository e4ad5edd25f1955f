import type { ValuesOf } from './fields.ts';
import { archiveOperations } from './operations/archives.ts';
import { containerOperations } from './operations/containers.ts';
import { execOperations } from './operations/exec.ts';
import { imageArchiveOperations } from './operations/image-archives.ts';
import { imageOperations } from './operations/images.ts';
import { madeImageOperations } from './operations/made-images.ts';
import { networkOperations } from './operations/networks.ts';
import { registryOperations } from './operations/registry.ts';
import { streamOperations } from './operations/streams.ts';
import { systemOperations } from './operations/system.ts';
import { usageOperations } from './operations/usage.ts';
import { volumeOperations } from './operations/volumes.ts';

export type { ByteStream, Operation } from './operations/define.ts';
export { shared } from './operations/shared.ts';

const definitions = {
  ...systemOperations,
  // Before the other images: an import is a row of the pull's route.
  ...madeImageOperations,
  ...imageArchiveOperations,
  ...imageOperations,
  ...containerOperations,
  ...streamOperations,
  ...archiveOperations,
  ...execOperations,
  ...networkOperations,
  ...usageOperations,
  ...registryOperations,
  ...volumeOperations,
};

type Named<T> = { readonly [Id in keyof T]: T[Id] & { readonly id: Id } };

/** Every operation, by id. */
export const operations = Object.fromEntries(
  Object.entries(definitions).map(([id, definition]) => [id, { id, ...definition }]),
) as unknown as Named<typeof definitions>;

export type OperationId = keyof typeof operations;
export type QueryOf<Id extends OperationId> = ValuesOf<(typeof operations)[Id]['query']>;
export type ResultOf<Id extends OperationId> = NonNullable<(typeof operations)[Id]['types']>['result'];
export type BodyOf<Id extends OperationId> = NonNullable<(typeof operations)[Id]['types']>['body'];

type NamesIn<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}`
  ? (Name extends `${infer Plain}*` ? Plain : Name) | NamesIn<Rest>
  : never;
/** The parameters in an operation's path, by name. */
export type PathOf<Id extends OperationId> = {
  readonly [Name in NamesIn<(typeof operations)[Id]['path']>]: string;
};
