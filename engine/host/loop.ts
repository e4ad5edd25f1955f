import { closeSync, openSync } from 'node:fs';
import { isErrno } from '../api/errors.ts';
import { call, check } from './libc.ts';

/** Loop devices, loop(4): files that the kernel shows as disks. */

const LOOP_CTL_GET_FREE = 0x4c82;
const LOOP_CONFIGURE = 0x4c0a;
const READ_ONLY = 1;
const AUTOCLEAR = 4;
/** struct loop_config: descriptor, block size, struct loop_info64, reserved. */
const CONFIG_BYTES = 304;
const FLAGS_AT = 60;
/** Others may take the device that was free a moment ago. */
const TRIES = 20;

/**
 * Shows a file as a disk that can only be read. It goes by itself when nothing has it open or mounted any more; until
 * it is disposed of, the caller has it open. Takes Linux 5.8. Throws with `code` 'ENOENT', 'EACCES', 'EPERM', 'ENOSPC'.
 */
export function openLoop(path: string): Disposable & { readonly path: string } {
  const file = openSync(path, 'r');
  try {
    for (let tries = 1; ; tries += 1) {
      try {
        return configure(file, path);
      } catch (error) {
        if (!isErrno(error, 'EBUSY') || tries >= TRIES) throw error;
      }
    }
  } finally {
    closeSync(file);
  }
}

function configure(file: number, path: string): Disposable & { readonly path: string } {
  const device = `/dev/loop${freeDevice()}`;
  const loop = openSync(device, 'r');
  try {
    const config = Buffer.alloc(CONFIG_BYTES);
    config.writeUInt32LE(file, 0);
    config.writeUInt32LE(READ_ONLY | AUTOCLEAR, FLAGS_AT);
    check(
      call('int ioctl(int, unsigned long, const uint8_t *)')(loop, LOOP_CONFIGURE, config),
      'ioctl',
      path,
      ` (LOOP_CONFIGURE ${device})`,
    );
  } catch (error) {
    closeSync(loop);
    throw error;
  }
  return { path: device, [Symbol.dispose]: () => closeSync(loop) };
}

function freeDevice(): number {
  const control = openSync('/dev/loop-control', 'r');
  try {
    const free = call('int ioctl(int, unsigned long, long)')(control, LOOP_CTL_GET_FREE, 0);
    check(free, 'ioctl', '/dev/loop-control', ' (LOOP_CTL_GET_FREE)');
    return free;
  } finally {
    closeSync(control);
  }
}
