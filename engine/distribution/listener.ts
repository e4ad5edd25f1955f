import { once } from 'node:events';
import type { Server } from 'node:http';
import { type AddressInfo, isIP } from 'node:net';
import { BerthError, isErrno } from '../api/errors.ts';
import { parsePasswords } from '../api/passwords.ts';
import type { RegistryAccess, RegistryServeBody } from '../api/wire/registry.ts';
import type { HostedImages } from '../images/hosted/types.ts';
import { createRegistryServer } from './server.ts';
import { openUploads } from './uploads.ts';
import { basicAuthentication } from './users.ts';

/** A registry that listens. */
export type Listener = AsyncDisposable & {
  /** `http://127.0.0.1:5000`. */
  readonly url: string;
};

export const DEFAULT_PORT = 5000;

/**
 * Listens for clients of the registry. Throws `invalid` (an address that is none, a certificate that is none, passwords
 * that are none), `forbidden` (beyond this machine without TLS and passwords), `conflict` (the port is taken).
 */
export async function listen(
  wanted: RegistryServeBody,
  parts: {
    readonly hosted: HostedImages;
    readonly onAccess: (access: RegistryAccess) => void;
    readonly warn: (message: string) => void;
  },
): Promise<Listener> {
  const address = readAddress(wanted.Address ?? '127.0.0.1');
  const port = wanted.Port ?? DEFAULT_PORT;
  const { Cert: cert, Key: key } = wanted;
  if ((cert === undefined) !== (key === undefined))
    throw new BerthError(
      'invalid',
      `a certificate and its key go together: the ${cert ? 'key' : 'certificate'} is missing`,
    );
  const passwords =
    wanted.Passwords === undefined ? undefined : parsePasswords(wanted.Passwords, 'the passwords');
  if (passwords?.size === 0) throw new BerthError('invalid', 'there is no name in the file of passwords');
  const isGuarded = cert !== undefined && passwords !== undefined;
  if (!isLoopback(address) && !isGuarded && wanted.Insecure !== true)
    throw new BerthError(
      'forbidden',
      `${address} is reached from other machines: TLS and passwords are needed there`,
      { hint: '--tls-cert, --tls-key and --passwords, or --insecure to do without' },
    );
  const uploads = openUploads(parts.hosted.receive);
  const server = createServer({
    hosted: parts.hosted,
    uploads,
    authenticate: passwords === undefined ? undefined : basicAuthentication(passwords),
    tls: cert === undefined || key === undefined ? undefined : { cert, key },
    readOnly: wanted.ReadOnly === true,
    onAccess: parts.onAccess,
    warn: parts.warn,
  });
  await bind(server, address, port);
  const bound = (server.address() as AddressInfo).port;
  const host = isIP(address) === 6 ? `[${address}]` : address;
  return {
    url: `${cert === undefined ? 'http' : 'https'}://${host}:${bound}`,
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
      await uploads.close();
    },
  };
}

function createServer(options: Parameters<typeof createRegistryServer>[0]): Server {
  try {
    return createRegistryServer(options);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new BerthError('invalid', `the certificate and its key can't be used: ${why}`, {
      hint: 'both are PEM, and the key belongs to the certificate',
      cause,
    });
  }
}

async function bind(server: Server, address: string, port: number): Promise<void> {
  try {
    server.listen(port, address);
    await once(server, 'listening');
  } catch (cause) {
    if (isErrno(cause, 'EADDRINUSE'))
      throw new BerthError('conflict', `${address}:${port} is taken by another program`, {
        hint: 'choose another with --port',
        cause,
      });
    if (isErrno(cause, 'EADDRNOTAVAIL'))
      throw new BerthError('invalid', `${address} is not an address of this machine`, { cause });
    throw cause;
  }
}

function readAddress(text: string): string {
  if (text === 'localhost') return '127.0.0.1';
  if (isIP(text) !== 0) return text;
  throw new BerthError('invalid', `invalid address '${text}': expected an IP address of this machine`, {
    hint: '127.0.0.1, or 0.0.0.0 for all of them',
  });
}

function isLoopback(address: string): boolean {
  return address === '::1' || /^127\./.test(address);
}
