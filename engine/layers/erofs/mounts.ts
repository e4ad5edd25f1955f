import { join } from 'node:path';
import { openLoop } from '../../host/loop.ts';
import { mount } from '../../host/syscalls.ts';
import { ARCHIVE, INDEX, TREE } from '../paths.ts';

/** Nothing of a layer is used but through an overlay, which has flags of its own. */
const flags = ['ro', 'nodev', 'nosuid', 'noexec'] as const;

/**
 * Mounts the index in a layer's directory, with the archive as its second device. Throws what mount(2) does: on a
 * kernel that knows no file-backed mounts ENOTBLK, before blocks of 512 bytes EINVAL, without EROFS ENODEV.
 */
export function mountIndex(directory: string, how: 'erofs' | 'erofs-loop'): void {
  const index = join(directory, INDEX);
  const archive = join(directory, ARCHIVE);
  const target = join(directory, TREE);
  if (how === 'erofs') {
    mount({ source: index, target, type: 'erofs', flags, data: `device=${archive}` });
    return;
  }
  using indexLoop = openLoop(index);
  using archiveLoop = openLoop(archive);
  mount({ source: indexLoop.path, target, type: 'erofs', flags, data: `device=${archiveLoop.path}` });
}
