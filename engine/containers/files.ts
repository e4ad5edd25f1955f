import { readFile, writeFile } from 'node:fs/promises';
import { BerthError, isErrno } from '../api/errors.ts';
import type { HostConfig } from '../api/wire.ts';
import type { NetworkMode } from '../networks/types.ts';
import type { ContainerPaths } from './context.ts';
import { HOST_GATEWAY, readExtraHost } from './extra-hosts.ts';

/** Where systemd-resolved keeps the name servers behind its own at 127.0.0.53. */
const RESOLVED_CONF = '/run/systemd/resolve/resolv.conf';
/** What docker falls back on when the host names only servers that a container can't reach. */
const FALLBACK_SERVERS = ['8.8.8.8', '8.8.4.4'];

/** Writes the container's own /etc/hosts, /etc/hostname and /etc/resolv.conf, which are bound over the image's. */
export async function writeNetworkFiles(
  paths: ContainerPaths,
  options: {
    readonly hostname: string;
    readonly address: string | undefined;
    /** Where the container reaches the host; undefined where it can't, or is on it. */
    readonly gateway: string | undefined;
    readonly mode: NetworkMode;
    readonly hostConfig: HostConfig;
  },
): Promise<void> {
  const { hostConfig, mode } = options;
  await Promise.all([
    writeFile(paths.hostname, `${options.hostname}\n`),
    writeFile(
      paths.hosts,
      (mode === 'host' ? await readOr('/etc/hosts', '') : ownHosts(options)) + extraHosts(options),
    ),
    writeFile(paths.resolvConf, await resolvConf(mode, hostConfig)),
  ]);
}

function ownHosts(options: { readonly hostname: string; readonly address: string | undefined }): string {
  const lines = [
    '127.0.0.1\tlocalhost',
    '::1\tlocalhost ip6-localhost ip6-loopback',
    'fe00::\tip6-localnet',
    'ff00::\tip6-mcastprefix',
    'ff02::1\tip6-allnodes',
    'ff02::2\tip6-allrouters',
  ];
  if (options.address !== undefined) lines.push(`${options.address}\t${options.hostname}`);
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

/** The host's name servers, those on its loopback left out: in another network namespace nobody answers there. */
async function resolvConf(mode: NetworkMode, hostConfig: HostConfig): Promise<string> {
  const own = await readOr('/etc/resolv.conf', '');
  if (mode === 'host' && !hostConfig.Dns?.length) return own;
  const text = usable(own).length === 0 ? await readOr(RESOLVED_CONF, own) : own;
  const found = hostConfig.Dns?.length ? hostConfig.Dns : usable(text);
  const servers = found.length > 0 ? found : FALLBACK_SERVERS;
  const search = hostConfig.DnsSearch?.length ? hostConfig.DnsSearch : words(text, 'search').flat();
  const options = hostConfig.DnsOptions?.length ? hostConfig.DnsOptions : words(text, 'options').flat();
  return [
    ...servers.map((server) => `nameserver ${server}`),
    ...(search.length > 0 ? [`search ${search.join(' ')}`] : []),
    ...(options.length > 0 ? [`options ${options.join(' ')}`] : []),
    '',
  ].join('\n');
}

function usable(text: string): readonly string[] {
  return words(text, 'nameserver')
    .flatMap((line) => line.slice(0, 1))
    .filter((server) => !/^127\.|^::1$/.test(server));
}

function words(text: string, keyword: string): readonly (readonly string[])[] {
  return text.split('\n').flatMap((line) => {
    const [first, ...rest] = line.trim().split(/\s+/);
    return first === keyword ? [rest] : [];
  });
}

async function readOr(path: string, otherwise: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
    return otherwise;
  }
}
