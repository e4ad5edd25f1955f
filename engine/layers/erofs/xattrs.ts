import { BerthError } from '../../api/errors.ts';
import { OVERLAY_OPAQUE, OVERLAY_XATTR, refused } from '../names.ts';
import { roundUp } from './format.ts';

/** Extended attributes. What several inodes have is stored once, in an area of its own. */

export type Xattr = {
  /** Number of the name's prefix. */
  readonly prefix: number;
  /** What follows the prefix; a binary string. */
  readonly name: string;
  readonly value: Buffer;
  /** How many entries have it; some of them may be replaced by others. */
  uses: number;
  /** Where it is in the shared area, in units of 4 bytes; undefined for one that is not there. */
  sharedAt: number | undefined;
};

/** As far as an inode may be from its content: `i_xattr_icount` has 16 bits. */
const MAX_ENTRIES_BYTES = 65_534 * 4;
const MAX_VALUE = 65_535;
const MAX_NAME = 255;
const MAX_SHARED = 255;
const BODY_HEADER = 12;
const ENTRY_HEADER = 4;
/** What all distinct attributes of a layer may take: they are held in memory until the index is written. */
const MAX_DISTINCT_BYTES = 64 * 1024 * 1024;

const prefixes: readonly (readonly [string, number])[] = [
  ['user.', 1],
  ['trusted.', 4],
  ['security.', 6],
];
/** Whole names that stand for themselves. */
const aclPrefixes: Readonly<Record<string, number>> = {
  'system.posix_acl_access': 2,
  'system.posix_acl_default': 3,
};

type Given = { readonly name: string; readonly value: Buffer };
type Owner = { readonly name: string; readonly kind: 'file' | 'directory' | 'link' | 'other' };

/** Keeps the attributes of one layer, equal ones once. */
export function createXattrTable() {
  const known = new Map<string, Xattr>();
  let distinctBytes = 0;

  const intern = (prefix: number, name: string, value: Buffer): Xattr => {
    const key = `${prefix}${name}\0${value.toString('latin1')}`;
    const found = known.get(key);
    if (found !== undefined) {
      found.uses += 1;
      return found;
    }
    distinctBytes += key.length;
    if (distinctBytes > MAX_DISTINCT_BYTES)
      throw new BerthError('invalid', `the layer's attributes take more than ${MAX_DISTINCT_BYTES} bytes`);
    // A copy: a slice would hold the whole extended header in memory.
    const xattr: Xattr = { prefix, name, value: Buffer.from(value), uses: 1, sharedAt: undefined };
    known.set(key, xattr);
    return xattr;
  };

  return {
    opaque: () => intern(4, OVERLAY_OPAQUE.slice('trusted.'.length), Buffer.from('y')),
    /**
     * Those of an entry that its file will have: the kernel would refuse the others, or ignore them. Throws `invalid`
     * on what it would take for malformed.
     */
    take: (given: readonly Given[], owner: Owner): readonly Xattr[] => {
      const kept = new Map<string, Xattr>();
      for (const { name, value } of given) {
        if (OVERLAY_XATTR.test(name) || isMisplaced(name, owner.kind)) continue;
        if (name === '' || name.length > MAX_NAME || name.includes('\0'))
          throw refused(owner.name, 'an attribute has no proper name');
        const found = placeOf(name, owner.kind);
        if (found === undefined) continue;
        checkXattr({ name, value }, owner, found.name);
        kept.set(name, intern(found.prefix, found.name, value));
      }
      return [...kept.values()];
    },
    /** Those that are worth storing once, in the order in which they were met. */
    shared: (): readonly Xattr[] => [...known.values()].filter(({ uses }) => uses > 1),
  };
}

/** Attributes with others, by name in their place. Throws `invalid` where they have no room in an inode. */
export function mergeXattrs(
  before: readonly Xattr[],
  added: readonly Xattr[],
  owner: string,
): readonly Xattr[] {
  const isSame = (a: Xattr, b: Xattr) => a.prefix === b.prefix && a.name === b.name;
  const merged = [...before.filter((one) => !added.some((other) => isSame(one, other))), ...added];
  if (merged.reduce((sum, one) => sum + entryBytes(one), 0) > MAX_ENTRIES_BYTES)
    throw refused(owner, 'its attributes take too much room');
  return merged;
}

/** xattr(7): the user's own are for files and directories. */
function isMisplaced(name: string, kind: Owner['kind']): boolean {
  return name.startsWith('user.') && kind !== 'file' && kind !== 'directory';
}

function placeOf(name: string, kind: Owner['kind']): { prefix: number; name: string } | undefined {
  const acl = aclPrefixes[name];
  if (acl !== undefined) {
    if (kind === 'link' || (acl === 3 && kind !== 'directory')) return undefined;
    return { prefix: acl, name: '' };
  }
  const prefix = prefixes.find(([text]) => name.startsWith(text));
  if (prefix === undefined) return undefined;
  return { prefix: prefix[1], name: name.slice(prefix[0].length) };
}

function checkXattr({ name, value }: Given, owner: Owner, rest: string): void {
  const isAcl = aclPrefixes[name] !== undefined;
  if (rest === '' && !isAcl) throw refused(owner.name, 'an attribute has no proper name');
  if (value.length > MAX_VALUE) throw refused(owner.name, 'one of its attributes is too long');
  if (name === 'security.capability' && !isCapability(value))
    throw refused(owner.name, 'its security.capability is malformed');
  if (isAcl && (value.length < 4 || value.length % 8 !== 4 || value.readUInt32LE(0) !== 2))
    throw refused(owner.name, `its ${name} is malformed`);
}

/** capabilities(7): VFS_CAP_REVISION_2 has 20 bytes, VFS_CAP_REVISION_3 has 24. */
function isCapability(value: Buffer): boolean {
  const revision = value.length < 4 ? 0 : value.readUInt32LE(0) >>> 24;
  return (revision === 2 && value.length === 20) || (revision === 3 && value.length === 24);
}

/** What an inode has behind it: a header, numbers of shared attributes, and its own ones. */
function partition(xattrs: readonly Xattr[]) {
  const shared = xattrs.filter(({ sharedAt }) => sharedAt !== undefined).slice(0, MAX_SHARED);
  return { shared, own: xattrs.filter((one) => !shared.includes(one)) };
}

/** Bytes of the attributes of an inode; 0 for one without. A multiple of 4. */
export function bodyBytes(xattrs: readonly Xattr[]): number {
  if (xattrs.length === 0) return 0;
  const { shared, own } = partition(xattrs);
  return BODY_HEADER + 4 * shared.length + own.reduce((sum, one) => sum + entryBytes(one), 0);
}

/** `i_xattr_icount`. */
export function bodyCount(bytes: number): number {
  return bytes === 0 ? 0 : (bytes - BODY_HEADER) / 4 + 1;
}

export function encodeBody(xattrs: readonly Xattr[]): Buffer {
  const { shared, own } = partition(xattrs);
  const header = Buffer.alloc(BODY_HEADER + 4 * shared.length);
  header.writeUInt8(shared.length, 4);
  for (const [index, { sharedAt = 0 }] of shared.entries())
    header.writeUInt32LE(sharedAt, BODY_HEADER + 4 * index);
  return Buffer.concat([header, ...own.map(encodeXattr)]);
}

export function entryBytes({ name, value }: Xattr): number {
  return roundUp(ENTRY_HEADER + name.length + value.length, 4);
}

export function encodeXattr(xattr: Xattr): Buffer {
  const { prefix, name, value } = xattr;
  const entry = Buffer.alloc(entryBytes(xattr));
  entry.writeUInt8(name.length, 0);
  entry.writeUInt8(prefix, 1);
  entry.writeUInt16LE(value.length, 2);
  entry.write(name, ENTRY_HEADER, 'latin1');
  value.copy(entry, ENTRY_HEADER + name.length);
  return entry;
}
