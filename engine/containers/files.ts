import { writeFile } from 'node:fs/promises';
import { DNS_ADDRESS } from '../networks/dns/server.ts';
import type { ContainerPaths, Context } from './context.ts';
import { hostsText, type Link, type NetworkFacts, readOr } from './hosts.ts';
import type { ContainerRecord } from './record.ts';

/** Where systemd-resolved keeps the name servers behind its own at 127.0.0.53. */
const RESOLVED_CONF = '/run/systemd/resolve/resolv.conf';
/** What docker falls back on when the host names only servers that a container can't reach. */
const FALLBACK_SERVERS = ['8.8.8.8', '8.8.4.4'];

/**
 * Writes the container's own /etc/hosts, /etc/hostname and /etc/resolv.conf, which are bound over the image's. Hosts
 * come last: see `areStale`.
 */
export async function writeNetworkFiles(paths: ContainerPaths, facts: NetworkFacts): Promise<void> {
  const { config } = facts;
  await Promise.all([
    writeFile(paths.hostname, `${config.Hostname ?? ''}\n`),
    writeFile(paths.resolvConf, await resolvConf(facts)),
  ]);
  await writeFile(paths.hosts, await hostsText(facts));
}

/**
 * Whether an engine ended before it had written a container's files for the networks that it has now. What the
 * container itself added to them is no sign of that.
 */
export async function areStale(paths: ContainerPaths, facts: NetworkFacts): Promise<boolean> {
  const there = (await readOr(paths.hosts, '')).split('\n');
  const wanted = (await hostsText(facts)).split('\n');
  const { Hostname: hostname = '' } = facts.config;
  const missing = wanted.some((line) => !there.includes(line));
  const former = there.some((line) => line.split(/\s+/).includes(hostname) && !wanted.includes(line));
  return missing || former;
}

/** What a running container's files say of its networks. */
export function networkFacts(
  { networks }: Pick<Context, 'networks'>,
  { id, config, hostConfig }: ContainerRecord,
  links: readonly Link[],
): NetworkFacts {
  const joined = networks.joinedBy(id);
  const gateway = joined.find(({ network }) => network.bridge !== undefined && !network.internal)?.network;
  return {
    config,
    hostConfig,
    addresses: joined.flatMap(({ endpoint: { address, address6 } }) =>
      [address, address6].filter((each) => each !== ''),
    ),
    gateway: gateway?.subnets[0]?.Gateway,
    named: joined.some(({ network }) => !network.builtin),
    links,
  };
}

async function resolvConf(facts: NetworkFacts): Promise<string> {
  const own = await readOr('/etc/resolv.conf', '');
  return resolvText(facts, { own, behind: await readOr(RESOLVED_CONF, own) });
}

/**
 * What stands in the container's /etc/resolv.conf: the host's name servers, those on its loopback left out, since in
 * another network namespace nobody answers there. `own` is the host's file, `behind` that of the servers that its own
 * one asks.
 */
export function resolvText(
  { hostConfig, named }: Pick<NetworkFacts, 'hostConfig' | 'named'>,
  { own, behind }: { readonly own: string; readonly behind: string },
): string {
  if (hostConfig.NetworkMode === 'host' && !hostConfig.Dns?.length) return own;
  const text = usable(own).length === 0 ? behind : own;
  const found = hostConfig.Dns?.length ? hostConfig.Dns : usable(text);
  const servers = named ? [DNS_ADDRESS] : found.length > 0 ? found : FALLBACK_SERVERS;
  const search = hostConfig.DnsSearch?.length ? hostConfig.DnsSearch : words(text, 'search').flat();
  const given = hostConfig.DnsOptions?.length ? hostConfig.DnsOptions : words(text, 'options').flat();
  // Names of one word are asked for as they are first: docker has it so.
  const options =
    named && !given.some((option) => option.startsWith('ndots:')) ? [...given, 'ndots:0'] : given;
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
