import { attribute, nested, text } from './netlink-message.ts';
import { bigEndian, openRules, type Step } from './nftables.ts';

/**
 * Makes port 53 of an address of this network namespace's loopback another port: rules that write the port of
 * packets on their way out, there and back. No connection is tracked for it, and port 53 stays free for programs that
 * listen on all addresses. Replaces what an earlier engine made.
 */
export function redirectDns(options: {
  readonly table: string;
  readonly address: string;
  readonly udpPort: number;
  readonly tcpPort: number;
}): void {
  const { table, address, udpPort, tcpPort } = options;
  const named = [attribute(1, text(table))];
  const chain = [
    ...named,
    attribute(3, text('output')),
    nested(4, attribute(1, bigEndian(HOOK_OUTPUT)), attribute(2, bigEndian(PRIORITY_MANGLE))),
    attribute(7, text('filter')),
  ];
  const ip = (what: Step['what'], attributes: readonly Buffer[]): Step => ({
    what,
    family: 'ip',
    flags: what === 'deleteTable' ? 0 : CREATE_IN_ORDER,
    attributes,
  });
  const addressed = Buffer.from(address.split('.').map(Number));
  const rules = [
    { protocol: UDP, checksum: 6, port: udpPort },
    { protocol: TCP, checksum: 16, port: tcpPort },
  ].flatMap(({ protocol, checksum, port }) => [
    rule({ at: DESTINATION, address: addressed, protocol, from: DNS_PORT, to: port, checksum }),
    rule({ at: SOURCE, address: addressed, protocol, from: port, to: DNS_PORT, checksum }),
  ]);
  using line = openRules();
  line.run([
    ip('newTable', named),
    ip('deleteTable', named),
    ip('newTable', named),
    ip('newChain', chain),
    ...rules.map((expressions) =>
      ip('newRule', [...named, attribute(2, text('output')), nested(4, ...expressions)]),
    ),
  ]);
}

/** NLM_F_CREATE, and NLM_F_APPEND: rules stand as they are given. */
const CREATE_IN_ORDER = 0xc00;
const DNS_PORT = 53;
const [TCP, UDP] = [6, 17];
const HOOK_OUTPUT = 3;
const PRIORITY_MANGLE = -150;
const REGISTER = attribute(1, bigEndian(1));
const [NETWORK_HEADER, TRANSPORT_HEADER] = [1, 2];
const META_L4PROTO = 16;
const CHECKSUM_INET = 1;
/** Where an address stands in the IP header, and a port in the header after it. */
const SOURCE = { address: 12, port: 0 };
const DESTINATION = { address: 16, port: 2 };

function rule(options: {
  readonly at: typeof SOURCE;
  readonly address: Buffer;
  readonly protocol: number;
  readonly from: number;
  readonly to: number;
  readonly checksum: number;
}): readonly Buffer[] {
  const { at, protocol, checksum } = options;
  const portPlace = [
    attribute(2, bigEndian(TRANSPORT_HEADER)),
    attribute(3, bigEndian(at.port)),
    attribute(4, bigEndian(2)),
  ];
  return [
    expression(
      'payload',
      REGISTER,
      attribute(2, bigEndian(NETWORK_HEADER)),
      attribute(3, bigEndian(at.address)),
      attribute(4, bigEndian(4)),
    ),
    equals(options.address),
    expression('meta', REGISTER, attribute(2, bigEndian(META_L4PROTO))),
    equals(Buffer.of(protocol)),
    expression('payload', REGISTER, ...portPlace),
    equals(portBytes(options.from)),
    expression('immediate', REGISTER, nested(2, attribute(1, portBytes(options.to)))),
    expression(
      'payload',
      attribute(5, bigEndian(1)),
      ...portPlace,
      attribute(6, bigEndian(CHECKSUM_INET)),
      attribute(7, bigEndian(checksum)),
    ),
  ];
}

const expression = (name: string, ...data: readonly Buffer[]) =>
  nested(1, attribute(1, text(name)), nested(2, ...data));

/** `cmp`: goes on where the register holds these bytes. */
const equals = (bytes: Buffer) =>
  expression('cmp', REGISTER, attribute(2, bigEndian(0)), nested(3, attribute(1, bytes)));

function portBytes(port: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(port);
  return bytes;
}
