import { createHash } from 'node:crypto';
import { type BigIntStats, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { getXattr, listXattrs } from '../../engine/host/syscalls.ts';

/** A file system tree written down, one line an entry, so that two can be compared. */

/** Everything about each entry below a directory: type, mode, owner, size, time, content, attributes, links. */
export function describeTree(root: string): readonly string[] {
  const lines: string[] = [];
  const firstOfInode = new Map<bigint, string>();
  const visit = (path: Buffer, name: string) => {
    const stats = lstatSync(path, { bigint: true });
    lines.push(describe(path, name, stats, firstOfInode));
    if (!stats.isDirectory()) return;
    const entries = readdirSync(path, { encoding: 'buffer' }).toSorted(Buffer.compare);
    for (const entry of entries) {
      visit(Buffer.concat([path, Buffer.from('/'), entry]), `${name}/${entry.toString('latin1')}`);
    }
  };
  visit(Buffer.from(root), '.');
  return lines;
}

function describe(path: Buffer, name: string, stats: BigIntStats, firstOfInode: Map<bigint, string>): string {
  const linked = stats.nlink > 1n && !stats.isDirectory() ? firstOfInode.get(stats.ino) : undefined;
  if (linked === undefined) firstOfInode.set(stats.ino, name);
  const attributes = listXattrs(path)
    .filter((attribute) => !attribute.startsWith('security.selinux'))
    .toSorted()
    .map((attribute) => `${attribute}=${getXattr(path, attribute).toString('hex')}`);
  return [
    name,
    stats.mode.toString(8),
    `${stats.uid}:${stats.gid}`,
    stats.mtimeNs,
    ...(stats.isFile() ? [stats.size, createHash('sha256').update(readFileSync(path)).digest('hex')] : []),
    ...(stats.isSymbolicLink()
      ? [`-> ${readlinkSync(path, { encoding: 'buffer' }).toString('latin1')}`]
      : []),
    ...(stats.isCharacterDevice() || stats.isBlockDevice() ? [`device ${stats.rdev}`] : []),
    ...(linked === undefined ? [] : [`= ${linked}`]),
    ...attributes,
  ].join(' ');
}
