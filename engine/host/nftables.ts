import { errnoError } from './libc.ts';
import { dumpNetfilter, NETLINK_NETFILTER, netfilterHeader } from './netfilter.ts';
import { type NetlinkSocket, openNetlink } from './netlink.ts';
import {
  attribute,
  flags as bits,
  HEADER_BYTES,
  message,
  NLMSG_ERROR,
  nested,
  readAttributes,
  readMessages,
  text,
} from './netlink-message.ts';

/**
 * nf_tables over netlink, <linux/netfilter/nf_tables.h>: what is changed with each container. A batch is one
 * transaction, and takes a hundredth of the time of a spawned nft(8); whole tables are nft's text all the same.
 */

const SUBSYSTEM = 10;
const [BATCH_BEGIN, BATCH_END] = [0x10, 0x11];
const messages = {
  newTable: 0,
  deleteTable: 2,
  newChain: 3,
  getChain: 4,
  newRule: 6,
  getRule: 7,
  newElement: 12,
  deleteElement: 14,
  getGeneration: 16,
} as const;
export const families = { inet: 1, ip: 2, bridge: 7, ip6: 10 } as const;
export type Family = keyof typeof families;
const [LIST_ELEM, DATA_VALUE] = [1, 1];
const MAX_ELEMENTS = 200;

/** A step of a transaction. */
export type Step = {
  readonly what: keyof typeof messages;
  readonly family: Family;
  readonly flags?: number;
  readonly attributes: readonly Buffer[];
};

/** An element of a set, or of a map with its data: the bytes of its parts, each padded to four. */
export type Element = { readonly key: Buffer; readonly data?: Buffer | undefined };

/** Steps that put elements into a set, or take them out of it. One that is there may be put in again. */
export function elementSteps(
  what: 'newElement' | 'deleteElement',
  set: { readonly family: Family; readonly table: string; readonly name: string },
  elements: readonly Element[],
): readonly Step[] {
  const steps: Step[] = [];
  for (let at = 0; at < elements.length; at += MAX_ELEMENTS) {
    const list = elements.slice(at, at + MAX_ELEMENTS).map(({ key, data }) => {
      const parts = [nested(1, attribute(DATA_VALUE, key))];
      // A map's element is taken out by its key.
      if (data !== undefined && what === 'newElement') parts.push(nested(2, attribute(DATA_VALUE, data)));
      return nested(LIST_ELEM, ...parts);
    });
    const attributes = [attribute(1, text(set.table)), attribute(2, text(set.name)), nested(3, ...list)];
    steps.push({ what, family: set.family, flags: what === 'newElement' ? bits.create : 0, attributes });
  }
  return steps;
}

/** A line to the rules of the network namespace that the thread was in when it was opened. */
export type Rules = Disposable & {
  /** Runs steps in one transaction: all of them happen, or none. Throws what the kernel said of the first it refused. */
  run(steps: readonly Step[]): void;
  /** A number that changes with each change of any rule in the network namespace. */
  generation(): number;
  /** The handles of all rules of a table, in their order: any change of its rules changes them. Empty where it is gone. */
  handles(family: Family, table: string): readonly string[];
};

/**
 * Kept open by whoever changes rules again and again: a socket that is closed waits until the kernel has let go of all
 * that was taken out before, 8 ms for each container that ends.
 */
export function openRules(): Rules {
  let open: NetlinkSocket | undefined = openNetlink(NETLINK_NETFILTER);
  const close = () => {
    open?.[Symbol.dispose]();
    open = undefined;
  };
  const ask = <T>(question: (socket: NetlinkSocket) => T): T => {
    open ??= openNetlink(NETLINK_NETFILTER);
    try {
      return question(open);
    } catch (error) {
      // More may have been said of it, which is no answer to what is asked next.
      close();
      throw error;
    }
  };
  return {
    run: (steps) => ask((socket) => runTransaction(socket, steps)),
    generation: () => ask(ruleGeneration),
    handles: (family, table) => ask((socket) => ruleHandles(socket, family, table)),
    [Symbol.dispose]: close,
  };
}

function runTransaction(socket: NetlinkSocket, steps: readonly Step[]): void {
  if (steps.length === 0) return;
  const edge = (type: number) =>
    message({ type, flags: bits.request, sequence: 0, body: netfilterHeader(0, SUBSYSTEM) });
  const bytes = steps.map(({ what, family, flags = 0, attributes }, index) =>
    message({
      type: (SUBSYSTEM << 8) | messages[what],
      // Of the last alone: those before it answer only where they fail.
      flags: bits.request | flags | (index === steps.length - 1 ? bits.ack : 0),
      sequence: index + 1,
      body: Buffer.concat([netfilterHeader(families[family]), ...attributes]),
    }),
  );
  const answer = socket.exchange(Buffer.concat([edge(BATCH_BEGIN), ...bytes, edge(BATCH_END)]), 'nf_tables');
  const errno = answer.readUInt16LE(4) === NLMSG_ERROR ? answer.readInt32LE(HEADER_BYTES) : 0;
  if (errno === 0) return;
  const failed = steps[answer.readUInt32LE(HEADER_BYTES + 4 + 8) - 1];
  throw errnoError(-errno, `nf_tables ${failed?.what ?? ''}`, 'netlink');
}

function ruleGeneration(socket: NetlinkSocket): number {
  const type = (SUBSYSTEM << 8) | messages.getGeneration;
  const bytes = socket.exchange(
    message({ type, flags: bits.request, sequence: 1, body: netfilterHeader(0) }),
    'nf_tables',
  );
  for (const { body } of readMessages(bytes)) {
    const id = readAttributes(body.subarray(4)).get(1);
    if (id !== undefined) return id.readUInt32BE();
  }
  return 0;
}

const RULE_HANDLE = 3;

function ruleHandles(socket: NetlinkSocket, family: Family, table: string): readonly string[] {
  return dump(socket, messages.getRule, family, [attribute(1, text(table))]).flatMap((attributes) => {
    const handle = attributes.get(RULE_HANDLE);
    return handle === undefined ? [] : [handle.toString('hex')];
  });
}

/** Whether a table has a chain of this name. */
export function hasChain(family: Family, table: string, chain: string): boolean {
  using socket = openNetlink(NETLINK_NETFILTER);
  return dump(socket, messages.getChain, family, []).some(
    (attributes) => textOf(attributes.get(1)) === table && textOf(attributes.get(3)) === chain,
  );
}

const textOf = (bytes: Buffer | undefined) => bytes?.toString('utf8').replace(/\0$/, '');

/** All that the kernel lists for a question, each as its attributes. */
const dump = (socket: NetlinkSocket, what: number, family: Family, attributes: readonly Buffer[]) =>
  dumpNetfilter(socket, { type: (SUBSYSTEM << 8) | what, family: families[family], attributes });

/** Numbers of nf_tables have their high bytes first. */
export function bigEndian(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}
