import type { Labels } from '../wire.ts';

/** The body of `POST /volumes/create`. */
export type VolumeCreateBody = {
  /** One is invented where it is not given. */
  readonly Name?: string;
  /** `local`, the only one there is here. */
  readonly Driver?: string;
  readonly DriverOpts?: Readonly<Record<string, string>> | null;
  readonly Labels?: Labels | null;
  readonly [field: string]: unknown;
};

export type Volume = {
  readonly Name: string;
  readonly Driver: string;
  /** Where its files are on the engine's machine. */
  readonly Mountpoint: string;
  /** RFC 3339. */
  readonly CreatedAt: string;
  readonly Labels: Labels | null;
  readonly Scope: string;
  readonly Options: Readonly<Record<string, string>> | null;
  /** In `GET /system/df`, and where it was asked for: how many containers have it, and its bytes on the disk, -1 where that is not known. */
  readonly UsageData?: { readonly RefCount: number; readonly Size: number } | null;
};

export type VolumeList = {
  readonly Volumes: readonly Volume[] | null;
  readonly Warnings: readonly string[] | null;
};

export type VolumesPruned = {
  readonly VolumesDeleted: readonly string[] | null;
  /** Bytes. */
  readonly SpaceReclaimed: number;
};
