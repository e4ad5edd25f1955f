import type { FileHandle } from 'node:fs/promises';
import type { Digest } from '../../api/digest.ts';
import type { ReceivedBlob } from '../../content/store.ts';
import type { Referrer } from './document.ts';

/**
 * The engine's images, and all else that was pushed to it, as a registry offers them. Repositories are named as in the
 * engine's tables: `docker.io/library/ubuntu`.
 */
export type HostedImages = {
  /** In the order of their names. */
  repositories(): readonly string[];
  isKnown(repository: string): boolean;
  /** In the order of their bytes. */
  tags(repository: string): readonly string[];
  /** Undefined where there is none. A layer that was made here is compressed first. */
  manifest(repository: string, reference: Reference, signal: AbortSignal): Promise<Manifest | undefined>;
  /** An open file, which the caller closes; undefined where the repository has no such blob. */
  openBlob(repository: string, digest: Digest): Promise<FileHandle | undefined>;
  /** Writes a stream to a file that is not a blob yet. */
  receive(source: AsyncIterable<Uint8Array>): Promise<ReceivedBlob>;
  /** Makes a blob of a repository of what was received. */
  keepBlob(repository: string, received: ReceivedBlob): Promise<void>;
  /** Makes a blob of one repository one of another; false where the first does not have it. */
  mountBlob(repository: string, digest: Digest, from: string): Promise<boolean>;
  /** Throws `Refusal`: MANIFEST_INVALID, MANIFEST_BLOB_UNKNOWN, DIGEST_INVALID. */
  putManifest(repository: string, pushed: PushedManifest): Promise<Kept>;
  /** Takes a name from what has it. Throws `Refusal`: MANIFEST_UNKNOWN. */
  removeTag(repository: string, tag: string): Promise<void>;
  /** Removes a manifest and its tags. Throws `Refusal`: MANIFEST_UNKNOWN. */
  removeManifest(repository: string, digest: Digest): Promise<void>;
  /** Throws `Refusal`: BLOB_UNKNOWN, UNSUPPORTED for one that is in use. */
  removeBlob(repository: string, digest: Digest): void;
  /**
   * What says something about a manifest, which need not be there: a page of them, oldest first, after `last`, and
   * what to go on after where there are more.
   */
  referrers(
    repository: string,
    subject: Digest,
    last?: string,
  ): { readonly items: readonly Referrer[]; readonly next: Digest | undefined };
  /** Lets go of what need not be kept at a moment, now where it is not said: milliseconds since 1970. */
  collect(nowMs?: number): void;
};

export type Reference = { readonly tag: string } | { readonly digest: Digest };
export type Manifest = { readonly digest: Digest; readonly mediaType: string; readonly bytes: Buffer };
export type PushedManifest = {
  readonly reference: Reference;
  /** What it was sent as. */
  readonly contentType: string | undefined;
  readonly bytes: Buffer;
  readonly signal: AbortSignal;
};
export type Kept = { readonly digest: Digest; readonly subject: Digest | undefined };
