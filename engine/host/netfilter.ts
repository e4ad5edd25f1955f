import type { NetlinkSocket } from './netlink.ts';
import { flags, message, NLMSG_DONE, NLMSG_ERROR, readAttributes, readMessages } from './netlink-message.ts';

/** What nf_tables and connection tracking have in common of netlink, <linux/netfilter/nfnetlink.h>. */

export const NETLINK_NETFILTER = 12;

/** struct nfgenmsg. */
export function netfilterHeader(family: number, resource = 0): Buffer {
  const header = Buffer.from([family, 0, 0, 0]);
  header.writeUInt16BE(resource, 2);
  return header;
}

/** All that the kernel lists for a question, each as its attributes. Whoever opened the socket closes it. */
export function dumpNetfilter(
  socket: NetlinkSocket,
  question: { readonly type: number; readonly family: number; readonly attributes: readonly Buffer[] },
): readonly ReadonlyMap<number, Buffer>[] {
  const { type, family, attributes } = question;
  const body = Buffer.concat([netfilterHeader(family), ...attributes]);
  const found: ReadonlyMap<number, Buffer>[] = [];
  const request = message({ type, flags: flags.request | flags.dump, sequence: 1, body });
  let bytes = socket.exchange(request, 'netfilter');
  for (;;) {
    for (const { type: kind, body: part } of readMessages(bytes)) {
      if (kind === NLMSG_DONE || kind === NLMSG_ERROR) return found;
      found.push(readAttributes(Buffer.from(part.subarray(4))));
    }
    bytes = socket.receive('netfilter');
  }
}
