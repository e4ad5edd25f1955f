import { type Field, list, string, type ValuesOf } from '../fields.ts';
import type { CreateContainerBody, HostConfig } from '../wire.ts';
import { readAttachments } from './attachments.ts';
import { endpointFields } from './endpoint.ts';
import { saidOnly, wrongValue } from './pairs.ts';

/** Its network and its names. */
export const networkFields = {
  network: list('Network: bridge, none, host, container:NAME, or one that was made', {
    placeholder: 'NETWORK',
  }),
  networkAlias: endpointFields.alias,
  ip: endpointFields.ip,
  ip6: endpointFields.ip6,
  hostname: string('Host name of the container', { short: 'h', placeholder: 'NAME' }),
  domainname: string('Domain of its host name', { placeholder: 'NAME' }),
  macAddress: string('MAC address of its interface', { placeholder: 'ADDRESS' }),
  dns: list('Address of a name server', { placeholder: 'ADDRESS' }),
  dnsOption: list('Option for /etc/resolv.conf', { placeholder: 'OPTION' }),
  dnsSearch: list('Domain to look names up in', { placeholder: 'DOMAIN' }),
  addHost: list('Add a line to /etc/hosts', { placeholder: 'NAME:ADDRESS' }),
  link: endpointFields.link,
  expose: list('Note that it listens on a port', { placeholder: 'PORT[/PROTOCOL]' }),
} as const satisfies Record<string, Field>;

/** All this as the Engine API has it. Throws `invalid`. */
export function networkBody(options: ValuesOf<typeof networkFields>): {
  readonly config: Partial<CreateContainerBody>;
  readonly host: Partial<HostConfig>;
} {
  const attachments = readAttachments(options.network ?? [], {
    alias: options.networkAlias,
    ...saidOnly({ ip: options.ip, ip6: options.ip6 }),
  });
  const says = attachments.length > 1 || attachments.some(({ wish }) => Object.keys(wish).length > 0);
  return {
    config: saidOnly({
      NetworkingConfig: says
        ? {
            EndpointsConfig: Object.fromEntries(attachments.map(({ network, wish }) => [network, wish])),
          }
        : undefined,
      Hostname: options.hostname ?? '',
      Domainname: options.domainname,
      MacAddress: options.macAddress,
      ExposedPorts:
        options.expose && Object.fromEntries(options.expose.flatMap(readPorts).map((port) => [port, {}])),
    }) as Partial<CreateContainerBody>,
    host: saidOnly({
      NetworkMode: attachments[0]?.network ?? 'default',
      Dns: options.dns ?? [],
      DnsOptions: options.dnsOption,
      DnsSearch: options.dnsSearch,
      ExtraHosts: options.addHost ?? null,
      Links: options.link,
    }) as Partial<HostConfig>,
  };
}

const MAX_PORT = 65535;

/** Reads `80`, `80/udp`, `8000-8010/tcp` as ports, each with its protocol. */
function readPorts(text: string): readonly string[] {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/i.exec(text);
  const [first, last] = [Number(match?.[1]), Number(match?.[2] ?? match?.[1])];
  if (!(first >= 1 && last >= first && last <= MAX_PORT))
    throw wrongValue('expose', text, 'PORT[-PORT][/tcp|udp|sctp]');
  const protocol = (match?.[3] ?? 'tcp').toLowerCase();
  return Array.from({ length: last - first + 1 }, (_none, index) => `${first + index}/${protocol}`);
}
