import { type Field, list, string, type ValuesOf } from '../fields.ts';
import type { CreateContainerBody, HostConfig } from '../wire.ts';
import { readAttachments } from './attachments.ts';
import { endpointFields } from './endpoint.ts';
import { saidOnly } from './pairs.ts';

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
