import { isIP } from 'node:net';

/** Stands for the address under which the host is reached: the gateway of the container's network. */
export const HOST_GATEWAY = 'host-gateway';

/** A line that is wanted in /etc/hosts; `address` is an IP address or `HOST_GATEWAY`. */
export type ExtraHost = { readonly name: string; readonly address: string };

/**
 * Reads `NAME:ADDRESS` or `NAME=ADDRESS`, an IPv6 address with or without brackets, as docker's `--add-host` takes
 * it; undefined for what is none.
 */
export function readExtraHost(text: string): ExtraHost | undefined {
  const match = /^([^\s:=]+)[:=](?:\[([^\s\]]+)\]|(\S+))$/.exec(text);
  const name = match?.[1];
  const address = match?.[2] ?? match?.[3];
  if (name === undefined || address === undefined) return undefined;
  return isIP(address) !== 0 || address === HOST_GATEWAY ? { name, address } : undefined;
}
