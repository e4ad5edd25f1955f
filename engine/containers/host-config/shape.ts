import { isIP } from 'node:net';
import { z } from 'zod';
import { readExtraHost } from '../extra-hosts.ts';

/** Text that can reach the kernel. */
export const text = z.string().refine((value) => !value.includes('\0'), 'text without null bytes');
export const texts = z.array(text).nullish();
export const map = z.record(z.string(), z.unknown()).nullish();
const textMap = z.record(z.string(), text).nullish();
export const count = z.number().int();
const amount = count.nonnegative().nullish();
const truth = z.boolean().nullish();
// These go into files of lines and words.
const nameWords = z.array(text.regex(/^\S+$/, 'a word without spaces')).nullish();
const addresses = z.array(text.refine((value) => isIP(value) !== 0, 'an IP address')).nullish();
const hostLines = z
  .array(text.refine((value) => readExtraHost(value) !== undefined, 'NAME:ADDRESS'))
  .nullish();
const screenSide = count.min(0).max(65535);
const devicePath = text.regex(/^\//, 'an absolute path');
const rates = z.array(z.strictObject({ Path: devicePath, Rate: count.nonnegative() })).nullish();

/** What an update can change, beside the restart policy. */
export const limitsShape = {
  CpuShares: amount,
  Memory: amount,
  MemorySwap: count.min(-1).nullish(),
  MemoryReservation: amount,
  // Negative ones are refused in docker's words.
  NanoCpus: count.nullish(),
  CpuPeriod: amount,
  CpuQuota: count.min(-1).nullish(),
  CpuRealtimePeriod: amount,
  CpuRealtimeRuntime: amount,
  CpusetCpus: text.nullish(),
  CpusetMems: text.nullish(),
  BlkioWeight: count.min(0).max(65535).nullish(),
  PidsLimit: count.nullish(),
};

export const restartPolicy = z
  .strictObject({ Name: text.nullish(), MaximumRetryCount: count.nullish() })
  .nullish();

const mount = z.strictObject({
  Type: text,
  Source: text.nullish(),
  Target: text.nullish(),
  ReadOnly: truth,
  Consistency: z.enum(['', 'default', 'consistent', 'cached', 'delegated']).nullish(),
  BindOptions: z
    .strictObject({
      Propagation: text.nullish(),
      NonRecursive: truth,
      CreateMountpoint: truth,
      ReadOnlyNonRecursive: truth,
      ReadOnlyForceRecursive: truth,
    })
    .nullish(),
  VolumeOptions: z
    .strictObject({
      NoCopy: truth,
      Labels: textMap,
      Subpath: text.nullish(),
      DriverConfig: z.strictObject({ Name: text.nullish(), Options: textMap }).nullish(),
    })
    .nullish(),
  ClusterOptions: map,
  ImageOptions: map,
  TmpfsOptions: z
    .strictObject({
      SizeBytes: count.nonnegative().nullish(),
      Mode: count.min(0).max(0o7777).nullish(),
      Options: z.array(z.array(text).min(1).max(2)).nullish(),
    })
    .nullish(),
});

/** The fields of a HostConfig that the engine acts on. What docker has words for is checked in those words elsewhere. */
export const hostConfigShape = z.looseObject({
  ...limitsShape,
  MemorySwappiness: count.nullish(),
  OomKillDisable: truth,
  BlkioWeightDevice: z.array(z.strictObject({ Path: devicePath, Weight: count.min(0).max(65535) })).nullish(),
  BlkioDeviceReadBps: rates,
  BlkioDeviceWriteBps: rates,
  BlkioDeviceReadIOps: rates,
  BlkioDeviceWriteIOps: rates,
  CgroupParent: text.nullish(),
  Devices: z
    .array(
      z.strictObject({
        PathOnHost: text,
        PathInContainer: text.nullish(),
        CgroupPermissions: text.regex(/^[rwm]*$/, 'some of r, w and m').nullish(),
      }),
    )
    .nullish(),
  DeviceCgroupRules: texts,
  Ulimits: z.array(z.strictObject({ Name: text, Soft: count.min(-1), Hard: count.min(-1) })).nullish(),
  Binds: texts,
  Mounts: z.array(mount).nullish(),
  Tmpfs: textMap,
  VolumesFrom: texts,
  VolumeDriver: text.nullish(),
  NetworkMode: text.nullish(),
  IpcMode: text.nullish(),
  PidMode: text.nullish(),
  UTSMode: text.nullish(),
  UsernsMode: text.nullish(),
  CgroupnsMode: text.nullish(),
  AutoRemove: truth,
  RestartPolicy: restartPolicy,
  LogConfig: z.strictObject({ Type: text.nullish(), Config: textMap }).nullish(),
  CapAdd: texts,
  CapDrop: texts,
  Privileged: truth,
  ReadonlyRootfs: truth,
  SecurityOpt: texts,
  MaskedPaths: texts,
  ReadonlyPaths: texts,
  Sysctls: textMap,
  ShmSize: count.nullish(),
  OomScoreAdj: count.nullish(),
  Init: truth,
  GroupAdd: nameWords,
  Links: texts,
  PortBindings: z
    .record(text, z.array(z.strictObject({ HostIp: text.nullish(), HostPort: text.nullish() })).nullable())
    .nullish(),
  PublishAllPorts: truth,
  Dns: addresses,
  DnsOptions: nameWords,
  DnsSearch: nameWords,
  ExtraHosts: hostLines,
  Annotations: textMap,
  Runtime: text.nullish(),
  Isolation: text.nullish(),
  ConsoleSize: z.tuple([screenSide, screenSide]).nullish(),
});
