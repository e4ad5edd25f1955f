import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isErrno } from '../api/errors.ts';
import { runProgram } from '../host/programs.ts';
import { unmount } from '../host/syscalls.ts';

/** What is made inside a new network namespace: a link to the bridge and its address, or nothing but loopback. */
export type Link = {
  readonly bridge: string;
  readonly hostInterface: string;
  readonly mac: string;
  readonly address: string;
  readonly prefix: number;
  readonly gateway: string;
};

/** The pid whose network namespace a veth's other end is put into: the engine's own. */
const HERE = String(process.pid);

/**
 * Makes a network namespace that is kept by the file at `path`, with its loopback up and, where a link is given,
 * an eth0 that is plugged into the bridge. Two spawns of ip(8), one in the new namespace and one outside.
 */
export async function createNamespace(path: string, link: Link | undefined): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, '');
  const inside = [
    'link set lo up',
    ...(link === undefined
      ? []
      : [
          `link add eth0 address ${link.mac} type veth peer name ${link.hostInterface} netns ${HERE}`,
          `addr add ${link.address}/${link.prefix} dev eth0`,
          'link set eth0 up',
          `route add default via ${link.gateway} dev eth0`,
        ]),
  ];
  await runProgram('unshare', [`--net=${path}`, 'ip', '-batch', '-'], { input: `${inside.join('\n')}\n` });
  if (link !== undefined) {
    const outside = `link set ${link.hostInterface} master ${link.bridge}\nlink set ${link.hostInterface} up\n`;
    await runProgram('ip', ['-batch', '-'], { input: outside });
  }
}

/** Lets the namespace go: with its last process it ends, and its veth with it. Nothing where there is none. */
export async function removeNamespace(path: string): Promise<void> {
  try {
    unmount(path, { detach: true });
  } catch (error) {
    // EINVAL: not a mount (the engine ended between making the file and the namespace).
    if (!isErrno(error, 'EINVAL') && !isErrno(error, 'ENOENT')) throw error;
  }
  await rm(path, { force: true });
}
