import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BerthError } from '../api/errors.ts';
import { findProgram } from '../host/programs.ts';
import { makeDirInRoot } from '../host/rooted.ts';
import { rootPropagation, type SpecMount } from '../runtime/mounts.ts';
import type { NamespaceChoice } from '../runtime/namespaces.ts';
import { specText } from '../runtime/rlimits.ts';
import { buildSpec } from '../runtime/spec.ts';
import { resolveUser } from '../runtime/users.ts';
import { cgroupPathOf } from './cgroup-path.ts';
import { type Context, pathsOf } from './context.ts';
import { networkFacts, writeNetworkFiles } from './files.ts';
import { linkEnvironment, openLinks } from './links.ts';
import { prepareMounts } from './mounts/prepare.ts';
import type { ContainerRecord } from './record.ts';
import { joinProcesses } from './sharing.ts';

/** The network that a container starts on, and whose it is: its own, or another container's. */
export type JoinedNetwork = {
  readonly owner: ContainerRecord;
  readonly namespace: NamespaceChoice;
};

/** Where docker puts the init that it starts a container with, and clients look for it. */
const INIT_INSIDE = '/sbin/docker-init';
const INIT_PROGRAM = 'tini-static';

/** Writes what the runtime reads of a run. `sharesMounts`: the host is to see what the container mounts. */
export async function writeBundle(
  context: Context,
  record: ContainerRecord,
  network: JoinedNetwork,
): Promise<{ readonly sharesMounts: boolean }> {
  const { config, hostConfig } = record;
  const paths = pathsOf(context, record.id);
  const user = await resolveUser(paths.rootfs, config.User ?? '', hostConfig.GroupAdd ?? []);
  if (config.WorkingDir) await makeDirInRoot(paths.rootfs, config.WorkingDir);
  const { pid, ipc, sharedMemory } = joinProcesses(context, record);
  const links = openLinks(context, record);
  const init = await initOf(record);
  const mounts = [
    ...(await networkMounts(context, record, network, links)),
    ...(init === undefined ? [] : [init]),
    ...prepareMounts(context, record),
  ];
  const command = [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])];
  const spec = buildSpec({
    rootfs: paths.rootfs,
    hostname: config.Hostname ?? '',
    args: init === undefined ? command : [INIT_INSIDE, '--', ...command],
    config,
    hostConfig,
    user,
    namespaces: {
      pid,
      ipc,
      uts: hostConfig.UTSMode === 'host' ? 'host' : 'own',
      network: network.namespace,
      cgroup: hostConfig.CgroupnsMode === 'private' ? 'own' : 'host',
    },
    sharedMemory,
    cgroups: context.cgroups,
    cgroupsPath: cgroupPathOf(context, record),
    linked: linkEnvironment(record, links),
    mounts,
  });
  await writeFile(join(paths.bundle, 'config.json'), specText(spec));
  return { sharesMounts: rootPropagation(mounts) === 'shared' };
}

/** Names and name servers: the container's own files, or those of the one whose network it joins. */
async function networkMounts(
  context: Context,
  record: ContainerRecord,
  network: JoinedNetwork,
  links: Parameters<typeof linkEnvironment>[1],
): Promise<readonly SpecMount[]> {
  const paths = pathsOf(context, network.owner.id);
  if (network.owner === record) await writeNetworkFiles(paths, networkFacts(context, record, links));
  const files = {
    '/etc/resolv.conf': paths.resolvConf,
    '/etc/hostname': paths.hostname,
    '/etc/hosts': paths.hosts,
  };
  const taken = new Set(record.mounts.map(({ destination }) => destination));
  return Object.entries(files)
    .filter(([destination]) => !taken.has(destination))
    .map(([destination, source]) => ({
      source,
      destination,
      readOnly: record.hostConfig.ReadonlyRootfs === true,
    }));
}

/** The init of a container that wants one and has processes of its own. Throws `unavailable` where it isn't installed. */
async function initOf({ hostConfig }: ContainerRecord): Promise<SpecMount | undefined> {
  if (hostConfig.Init !== true || (hostConfig.PidMode ?? '') !== '') return undefined;
  const source = await findProgram(INIT_PROGRAM);
  if (source !== undefined) return { source, destination: INIT_INSIDE, readOnly: true };
  throw new BerthError('unavailable', `the init for containers, ${INIT_PROGRAM}, is not installed`, {
    hint: 'apt-get install tini',
  });
}
