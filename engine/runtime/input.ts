import { spawn } from 'node:child_process';
import type { Writable } from 'node:stream';

/**
 * Connects to the input of a running container. Ending the stream half-closes the connection, which closes the
 * container's input unless conmon was told to keep it. Errors come as stream errors.
 *
 * conmon's attach socket is SOCK_SEQPACKET (type 5), which Node can't speak: socat does. It runs in the bundle, so
 * that the socket's name stays within the 108 bytes of a socket address.
 */
export function openInput(bundle: string): { readonly stream: Writable; close(): void } {
  // 8192 bytes a packet: what conmon reads at once (CONN_SOCK_BUF_SIZE); more would be cut off.
  const child = spawn('socat', ['-b', '8192', '-', 'UNIX-CONNECT:attach,type=5'], {
    cwd: bundle,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  child.on('error', (error) => child.stdin.destroy(error));
  // The container ended, and its input with it: what was not read is lost, as with a pipe.
  child.stdin.on('error', () => child.stdin.destroy());
  return { stream: child.stdin, close: () => child.kill('SIGTERM') };
}
