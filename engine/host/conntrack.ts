import { dumpNetfilter, NETLINK_NETFILTER, netfilterHeader } from './netfilter.ts';
import { type NetlinkSocket, openNetlink } from './netlink.ts';
import { attribute, flags, message, nested, readAttributes } from './netlink-message.ts';

/** Connection tracking over netlink, <linux/netfilter/nfnetlink_conntrack.h>. */

const SUBSYSTEM = 1;
const [GET, DELETE] = [1, 2];
const [TUPLE_ORIGINAL, ZONE] = [1, 18];
const [TUPLE_PROTOCOL, PROTOCOL_NUMBER, DESTINATION_PORT] = [2, 1, 3];
const UDP = 17;
const families = [2, 10];

/**
 * Has the kernel forget where packets of UDP to these ports of the host's go: it would lead a sender that goes on where
 * the port led before, for as long as it goes on. A connection of TCP ends with its container instead.
 */
export function forgetFlows(ports: readonly { readonly protocol: string; readonly port: number }[]): void {
  const numbers = new Set(ports.filter(({ protocol }) => protocol === 'udp').map(({ port }) => port));
  if (numbers.size === 0) return;
  using socket = openNetlink(NETLINK_NETFILTER);
  for (const family of families) {
    const flows = dumpNetfilter(socket, { type: (SUBSYSTEM << 8) | GET, family, attributes: [] }).filter(
      (flow) => {
        const part = readAttributes(flow.get(TUPLE_ORIGINAL) ?? Buffer.alloc(0)).get(TUPLE_PROTOCOL);
        const protocol = readAttributes(part ?? Buffer.alloc(0));
        return (
          protocol.get(PROTOCOL_NUMBER)?.[0] === UDP &&
          numbers.has(protocol.get(DESTINATION_PORT)?.readUInt16BE() ?? 0)
        );
      },
    );
    for (const flow of flows) forget(socket, family, flow);
  }
}

/** One that is gone by now is no error. */
function forget(socket: NetlinkSocket, family: number, flow: ReadonlyMap<number, Buffer>): void {
  const zone = flow.get(ZONE);
  const body = Buffer.concat([
    netfilterHeader(family),
    nested(TUPLE_ORIGINAL, flow.get(TUPLE_ORIGINAL) ?? Buffer.alloc(0)),
    ...(zone === undefined ? [] : [attribute(ZONE, zone)]),
  ]);
  const type = (SUBSYSTEM << 8) | DELETE;
  socket.exchange(message({ type, flags: flags.request | flags.ack, sequence: 1, body }), 'conntrack');
}
