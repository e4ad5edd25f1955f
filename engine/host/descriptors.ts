import { call, check, koffi } from './libc.ts';

/** What Node has no call for around file descriptors: terminals' sizes, and descriptors sent over a socket. */

const TIOCSWINSZ = 0x5414;

/** Sets the size of a terminal, in characters (tty_ioctl(4), TIOCSWINSZ); its programs get SIGWINCH. */
export function setWindowSize(
  terminal: number,
  size: { readonly rows: number; readonly columns: number },
): void {
  const words = Uint16Array.of(size.rows, size.columns, 0, 0);
  check(
    call('int ioctl(int, unsigned long, uint16_t *)')(terminal, TIOCSWINSZ, words),
    'ioctl',
    'TIOCSWINSZ',
  );
}

/** struct iovec and struct msghdr of 64-bit Linux, recvmsg(2). */
const POINTER_BYTES = 8;
const MSGHDR_BYTES = 56;
/** struct cmsghdr, then one int, padded. */
const CONTROL_BYTES = 24;
const CMSG_LENGTH = 20;
const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
const MSG_DONTWAIT = 0x40;
const MSG_CMSG_CLOEXEC = 0x40000000;
const MAX_PAYLOAD = 4096;

/**
 * Takes the descriptor that comes with the next message on a connected Unix socket (unix(7), SCM_RIGHTS); undefined
 * where no message is there yet. Throws where a message brings none.
 */
export function receiveDescriptor(socket: number): number | undefined {
  const payload = Buffer.alloc(MAX_PAYLOAD);
  const control = Buffer.alloc(CONTROL_BYTES);
  const vector = Buffer.alloc(2 * POINTER_BYTES);
  vector.writeBigUInt64LE(koffi().address(payload), 0);
  vector.writeBigUInt64LE(BigInt(payload.length), POINTER_BYTES);
  const message = Buffer.alloc(MSGHDR_BYTES);
  message.writeBigUInt64LE(koffi().address(vector), 16);
  message.writeBigUInt64LE(1n, 24);
  message.writeBigUInt64LE(koffi().address(control), 32);
  message.writeBigUInt64LE(BigInt(control.length), 40);
  const flags = MSG_DONTWAIT | MSG_CMSG_CLOEXEC;
  const length = call('long recvmsg(int, uint8_t *, int)')(socket, message, flags);
  if (length < 0 && koffi().errno() === koffi().os.errno.EAGAIN) return undefined;
  check(length, 'recvmsg', '');
  const [size, level, type] = [control.readBigUInt64LE(0), control.readInt32LE(8), control.readInt32LE(12)];
  if (size !== BigInt(CMSG_LENGTH) || level !== SOL_SOCKET || type !== SCM_RIGHTS)
    throw new Error('recvmsg: no descriptor came');
  return control.readInt32LE(16);
}
