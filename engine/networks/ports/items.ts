import { addressBytes } from '../../host/netlink-message.ts';
import type { Item } from '../firewall.ts';
import type { PublishedPort, Target } from './types.ts';

const protocols = { tcp: 6, udp: 17, sctp: 132 } as const;

/**
 * What leads a port of the host's to a container by the kernel's rules; nothing where it has no address of that kind,
 * and for the host's ::1, from which no packet may leave its interface (RFC 4291, section 2.5.3).
 */
export function publishedItems(port: PublishedPort, target: Target): readonly Item[] {
  const six = port.address.includes(':');
  const to = six ? target.address6 : target.address;
  if (to === '' || port.address === '::1') return [];
  const everywhere = port.address === '0.0.0.0' || port.address === '::';
  const service = [word(protocols[port.protocol], 1), word(port.port, 2)];
  const named = `${port.protocol} . ${port.port}`;
  return [
    {
      set: `published${six ? '6' : '4'}${everywhere ? '' : 'at'}`,
      key: Buffer.concat(everywhere ? service : [addressBytes(port.address), ...service]),
      data: Buffer.concat([addressBytes(to), word(port.containerPort, 2)]),
      text: `${everywhere ? '' : `${port.address} . `}${named} : ${to} . ${port.containerPort}`,
    },
  ];
}

/** A number of one or two bytes, high byte first, as a part of an element: four bytes wide. */
function word(value: number, bytes: 1 | 2): Buffer {
  const part = Buffer.alloc(4);
  part.writeUIntBE(value, 0, bytes);
  return part;
}
