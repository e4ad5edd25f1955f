import { BerthError } from '../errors.ts';
import type { EndpointWish } from '../wire/networks.ts';
import { splitCsv } from './csv.ts';
import { endpointBody } from './endpoint.ts';
import { readPair, wrongValue } from './pairs.ts';

/** A network that a new container is to be on, and what it wants there. */
export type Attachment = { readonly network: string; readonly wish: EndpointWish };

/** Reads `NETWORK`, or `name=NETWORK,alias=NAME,ip=ADDRESS,…`, as docker's `--network` takes it. Throws `invalid`. */
export function readAttachment(text: string): Attachment {
  if (!/^\w[\w-]*=/.test(text)) return { network: text, wish: {} };
  const [alias, driverOpt]: [string[], string[]] = [[], []];
  const single: Record<string, string> = {};
  for (const part of splitCsv(text)) {
    const [key, value] = readPair('network', part);
    switch (key.trim().toLowerCase()) {
      case 'name':
        single.network = value.trim();
        break;
      case 'alias':
        alias.push(value);
        break;
      case 'ip':
        single.ip = value;
        break;
      case 'ip6':
        single.ip6 = value;
        break;
      case 'mac-address':
        single.macAddress = value;
        break;
      case 'driver-opt':
        driverOpt.push(value);
        break;
      default:
        throw wrongValue('network', text, `name, alias, ip, ip6, mac-address or driver-opt, not '${key}'`);
    }
  }
  const { network, ...rest } = single;
  if (!network) throw wrongValue('network', text, 'a name');
  const lists = { ...(alias.length > 0 ? { alias } : {}), ...(driverOpt.length > 0 ? { driverOpt } : {}) };
  return { network, wish: endpointBody({ ...rest, ...lists }) };
}

/** All networks of a new container, the first of them with what is said beside `--network`. Throws `invalid`. */
export function readAttachments(
  texts: readonly string[],
  beside: { readonly alias: readonly string[] | undefined; readonly ip?: string; readonly ip6?: string },
): readonly Attachment[] {
  const all = texts.map(readAttachment);
  const twice = all.find(({ network }, index) => all.findIndex((other) => other.network === network) < index);
  if (twice !== undefined)
    throw new BerthError('invalid', `network "${twice.network}" is specified multiple times`);
  const [first = { network: 'default', wish: {} }, ...others] = all;
  const said = endpointBody(beside);
  for (const [key, flags] of [
    ['Aliases', '--network-alias'],
    ['IPAMConfig', '--ip or --ip6'],
  ] as const) {
    if (said[key] != null && first.wish[key] != null)
      throw new BerthError('invalid', `conflicting options: ${flags}, and the same in --network`, {
        hint: 'say it in --network alone',
      });
  }
  return [{ network: first.network, wish: { ...first.wish, ...said } }, ...others];
}
