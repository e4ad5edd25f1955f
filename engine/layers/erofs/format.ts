/**
 * The parts of EROFS that an index uses: kernel, Documentation/filesystems/erofs.rst, "On-disk details", and
 * fs/erofs/erofs_fs.h for the numbers. All is little-endian.
 */

/** A block is a sector, so that content which tar puts at any multiple of 512 can be pointed at. */
export const BLOCK_BITS = 9;

/** Inodes are numbered by where they are, in such units from the start of the metadata. */
export const SLOT = 32;
/** Size of an inode in its long form, which has room for times and for owners over 65535. */
export const INODE = 64;

/** How the content of an inode is found (`i_format`, bits 1 to 3; bit 0 is the long form). */
export const layouts = { plain: 0, inline: 2, chunks: 4 } as const;

/** The archive among the devices; 0 is the index itself. */
export const ARCHIVE_DEVICE = 1;
export const CHUNK_INDEX = 8;

export const roundUp = (value: number, unit: number) => Math.ceil(value / unit) * unit;
