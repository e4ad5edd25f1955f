import { BerthError } from '../api/errors.ts';
import type { HostConfig } from '../api/wire.ts';
import { type Context, pathsOf } from './context.ts';
import { areStale, networkFacts, writeNetworkFiles } from './files.ts';
import type { Link } from './hosts.ts';
import type { ContainerRecord, ContainerStore } from './record.ts';
import { networkOwner } from './sharing.ts';

/** Reads `NAME[:ALIAS]`; the alias is the name where none is given. Throws `invalid`. */
function parseLink(text: string): { readonly name: string; readonly alias: string } {
  const [name = '', alias = name, ...rest] = text.split(':');
  // `/web:/case/db` is how inspect shows one.
  const short = alias.slice(alias.lastIndexOf('/') + 1);
  if (name === '' || short === '' || rest.length > 0 || /\s/.test(text))
    throw new BerthError('invalid', `bad format for links: ${text}`, { hint: 'write NAME[:ALIAS]' });
  return { name, alias: short };
}

/** Links with ids for names, which may change. Throws `invalid` for a container that isn't there, as dockerd does. */
export function settleLinks(store: ContainerStore, host: HostConfig): HostConfig['Links'] {
  return host.Links?.map((text) => {
    const { name, alias } = parseLink(text);
    try {
      const owner = networkOwner(store, store.find(name));
      if (owner.hostConfig.NetworkMode === 'host') {
        throw new BerthError(
          'invalid',
          "conflicting options: host type networking can't be used with links. This would result in undefined behavior",
        );
      }
      return `${store.find(name).id}:${alias}`;
    } catch (error) {
      if (!(error instanceof BerthError) || error.code !== 'notFound') throw error;
      throw new BerthError('invalid', `could not get container for ${name}: ${error.message}`, {
        hint: error.hint,
        cause: error,
      });
    }
  });
}

/** Links as inspect shows them: `/web:/case/db`. One whose container is gone is gone too. */
export function linksView(store: ContainerStore, record: ContainerRecord): readonly string[] | null {
  const links = targetsOf(store, record);
  return links.length === 0
    ? null
    : links.map(({ alias, target }) => `/${target.name}:/${record.name}/${alias}`);
}

/** The links of a container that is about to start. Throws `conflict` where one of the others doesn't run. */
export function openLinks(context: Context, record: ContainerRecord): readonly Link[] {
  return targetsOf(context.store, record).map(({ alias, target }) => {
    const address = addressOf(context, target);
    if (target.life.status === 'running' && address !== undefined) return { alias, target, address };
    throw new BerthError(
      'conflict',
      `Cannot link to a non running container: /${target.name} AS /${record.name}/${alias}`,
      { hint: `berth start ${target.name}` },
    );
  });
}

/** The environment that docker gives a container for its links, from what the others expose and were given. */
export function linkEnvironment(record: ContainerRecord, links: readonly Link[]): readonly string[] {
  return links.flatMap(({ alias, target, address }) => {
    const name = alias.toUpperCase().replaceAll('-', '_');
    const ports = Object.keys(target.config.ExposedPorts ?? {})
      .map((text) => {
        const [number = '', protocol = 'tcp'] = text.split('/');
        return { number, protocol };
      })
      .sort((a, b) => Number(a.number) - Number(b.number) || (a.protocol < b.protocol ? -1 : 1));
    const urlOf = (port: { readonly number: string; readonly protocol: string }) =>
      `${port.protocol}://${address}:${port.number}`;
    const [first] = ports;
    return [
      ...(first === undefined ? [] : [`${name}_PORT=${urlOf(first)}`]),
      ...ports.flatMap((port) => {
        const prefix = `${name}_PORT_${port.number}_${port.protocol.toUpperCase()}`;
        return [
          `${prefix}=${urlOf(port)}`,
          `${prefix}_ADDR=${address}`,
          `${prefix}_PORT=${port.number}`,
          `${prefix}_PROTO=${port.protocol}`,
        ];
      }),
      `${name}_NAME=/${record.name}/${alias}`,
      ...(target.config.Env ?? [])
        .filter((entry) => entry.includes('=') && !/^(HOME|PATH)=/.test(entry))
        .map((entry) => `${name}_ENV_${entry}`),
    ];
  });
}

/** Tells the running containers that are linked to this one its new address: the lines in their /etc/hosts. */
export async function updateLinked(context: Context, record: ContainerRecord): Promise<void> {
  for (const other of context.store.active()) {
    if (other.life.status !== 'running') continue;
    if (!(other.hostConfig.Links ?? []).some((link) => link.startsWith(`${record.id}:`))) continue;
    await updateFiles(context, other);
  }
}

/** Writes a running container's /etc/hosts and /etc/resolv.conf anew: its addresses, or those of its links, have changed. */
export async function updateFiles(context: Context, record: ContainerRecord): Promise<void> {
  // In place: the file is bound into the container.
  await writeNetworkFiles(pathsOf(context, record.id), factsOf(context, record));
}

/** The same where an engine ended before it had. One that shares a network has no addresses of its own. */
export async function mendFiles(context: Context, record: ContainerRecord): Promise<void> {
  if (record.hostConfig.NetworkMode === 'host' || networkOwner(context.store, record) !== record) return;
  if (await areStale(pathsOf(context, record.id), factsOf(context, record)))
    await updateFiles(context, record);
}

function factsOf(context: Context, record: ContainerRecord) {
  const links = targetsOf(context.store, record).flatMap(({ alias, target }) => {
    const address = addressOf(context, target);
    return address === undefined ? [] : [{ alias, target, address }];
  });
  return networkFacts(context, record, links);
}

function targetsOf(store: ContainerStore, record: ContainerRecord) {
  return (record.hostConfig.Links ?? []).flatMap((text) => {
    const { name, alias } = parseLink(text);
    const target = store.byId(name);
    return target === undefined ? [] : [{ alias, target }];
  });
}

function addressOf(context: Context, target: ContainerRecord): string | undefined {
  const owner = networkOwner(context.store, target);
  return (
    context.networks.joinedBy(owner.id).find(({ network }) => network.builtin)?.endpoint.address || undefined
  );
}
