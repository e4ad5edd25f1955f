import { readFile } from 'node:fs/promises';
import { BerthError, isErrno } from '../api/errors.ts';
import type { ContainerConfig, HostConfig } from '../api/wire.ts';
import { HOST_GATEWAY, readExtraHost } from './extra-hosts.ts';
import type { ContainerRecord } from './record.ts';

/** A container that another one knows by an alias, and how to reach it. */
export type Link = { readonly alias: string; readonly target: ContainerRecord; readonly address: string };

export type NetworkFacts = {
  readonly config: ContainerConfig;
  readonly hostConfig: HostConfig;
  /** Its own, on all its networks. */
  readonly addresses: readonly string[];
  /** Where the container reaches the host; undefined where it can't, or is on it. */
  readonly gateway: string | undefined;
  /** It asks the engine's own name server: it is on a network of a user's. */
  readonly named: boolean;
  readonly links: readonly Link[];
};

/** What stands in the container's /etc/hosts. */
export async function hostsText(facts: NetworkFacts): Promise<string> {
  const own = facts.hostConfig.NetworkMode === 'host' ? await readOr('/etc/hosts', '') : ownHosts(facts);
  return own + extraHosts(facts);
}

function ownHosts({ config, addresses, links }: NetworkFacts): string {
  const { Hostname: hostname = '', Domainname: domain } = config;
  const lines = [
    '127.0.0.1\tlocalhost',
    '::1\tlocalhost ip6-localhost ip6-loopback',
    'fe00::\tip6-localnet',
    'ff00::\tip6-mcastprefix',
    'ff02::1\tip6-allnodes',
    'ff02::2\tip6-allrouters',
    ...links.map((link) => {
      const names = [link.alias, link.target.config.Hostname ?? '', link.target.name];
      return `${link.address}\t${[...new Set(names)].join(' ')}`;
    }),
  ];
  for (const address of addresses)
    lines.push(`${address}\t${domain ? `${hostname}.${domain} ${hostname}` : hostname}`);
  return `${lines.join('\n')}\n`;
}

function extraHosts(options: {
  readonly gateway: string | undefined;
  readonly hostConfig: HostConfig;
}): string {
  return (options.hostConfig.ExtraHosts ?? [])
    .map((text) => {
      const host = readExtraHost(text);
      if (host === undefined)
        throw new BerthError('invalid', `invalid extra host '${text}'`, { hint: 'write NAME:ADDRESS' });
      const address = host.address === HOST_GATEWAY ? options.gateway : host.address;
      if (address === undefined) {
        throw new BerthError('unsupported', `${HOST_GATEWAY} means nothing without a bridge: '${text}'`, {
          hint: 'give an address, or use the network bridge',
        });
      }
      return `${address}\t${host.name}\n`;
    })
    .join('');
}

/** A small text file; `otherwise` where there is none. */
export async function readOr(path: string, otherwise: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
    return otherwise;
  }
}
