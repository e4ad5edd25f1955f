/**
 * The superblock, at byte 1024, and behind it the table of devices with one slot: the archive. mount(2) is told with
 * `device=` where that is.
 */

const SUPER_AT = 1024;
const MAGIC = 0xe0f5e1e2;
const DEVICE_SLOT = 128;
const SLOT_AT = 1152;
const TAG_BYTES = 64;
const FEATURE_CHUNKS = 0x4;
const FEATURE_DEVICES = 0x8;

/** Bytes from the start of the index that are no inodes, though inodes are counted from there: none has number 0. */
export const HEAD = 2048;

export type Superblock = {
  readonly blockBits: number;
  /** 16 bytes; overlay tells file systems apart by them. */
  readonly uuid: Buffer;
  readonly rootNid: number;
  readonly inodes: number;
  /** Blocks of the index, and of the archive. */
  readonly blocks: number;
  readonly archiveBlocks: number;
  /** Where the attributes begin that several inodes have. */
  readonly xattrBlock: number;
  /** What is to be known of the archive: at most 63 bytes, which the kernel doesn't look at. */
  readonly archiveTag: string;
};

/** The first bytes of an index. */
export function encodeHead(given: Superblock): Buffer {
  const head = Buffer.alloc(HEAD);
  const at = (offset: number) => SUPER_AT + offset;
  head.writeUInt32LE(MAGIC, at(0));
  head.writeUInt8(given.blockBits, at(12));
  head.writeUInt16LE(given.rootNid, at(14));
  head.writeBigUInt64LE(BigInt(given.inodes), at(16));
  head.writeUInt32LE(given.blocks, at(36));
  head.writeUInt32LE(given.xattrBlock, at(44));
  given.uuid.copy(head, at(48), 0, 16);
  head.writeUInt32LE(FEATURE_CHUNKS | FEATURE_DEVICES, at(80));
  head.writeUInt16LE(1, at(86));
  head.writeUInt16LE(SLOT_AT / DEVICE_SLOT, at(88));
  head.write(given.archiveTag.slice(0, TAG_BYTES - 1), SLOT_AT, 'latin1');
  head.writeUInt32LE(given.archiveBlocks, SLOT_AT + TAG_BYTES);
  return head;
}

/** What the first bytes of an index say of its archive. */
export function readArchiveTag(head: Buffer): string {
  return head.toString('latin1', SLOT_AT, SLOT_AT + TAG_BYTES).replace(/\0.*$/s, '');
}
