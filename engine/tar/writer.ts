import { BLOCK, type Moment } from './header.ts';

/**
 * Writes tar archives: ustar, with pax records for what ustar has no room for (POSIX.1-2017, pax, "ustar Interchange
 * Format" and "pax Extended Header"). Names are binary strings, as in the reader.
 */

export type WrittenEntry = {
  /** Type flag: '0' file, '1' hard link, '2' symbolic link, '3' '4' devices, '5' directory, '6' fifo. */
  readonly flag: string;
  readonly name: string;
  readonly target?: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly sizeBytes?: number;
  readonly mtime: Moment;
  readonly major?: number;
  readonly minor?: number;
  readonly xattrs?: readonly { readonly name: string; readonly value: Buffer }[];
};

/** What stands in the header of the pax records themselves. */
const PAX_NAME = 'PaxHeaders/entry';
const NAME_BYTES = 100;
const PREFIX_BYTES = 155;

/** The blocks before an entry's content. */
export function encodeHeader(entry: WrittenEntry): Buffer {
  const { target = '', sizeBytes = 0, mtime } = entry;
  const records: string[] = [];
  const place = placeName(entry.name);
  if (place === undefined) records.push(paxRecord('path', entry.name));
  if (target.length > NAME_BYTES || hasHighBytes(target)) records.push(paxRecord('linkpath', target));
  if (sizeBytes > octalLimit(12)) records.push(paxRecord('size', String(sizeBytes)));
  for (const id of ['uid', 'gid'] as const)
    if (entry[id] > octalLimit(8)) records.push(paxRecord(id, String(entry[id])));
  if (mtime.nanoseconds !== 0 || mtime.seconds < 0 || mtime.seconds > octalLimit(12))
    records.push(paxRecord('mtime', momentText(mtime)));
  for (const { name, value } of entry.xattrs ?? [])
    records.push(paxRecord(`SCHILY.xattr.${name}`, value.toString('latin1')));
  const own = encodeBlock({
    ...entry,
    target,
    sizeBytes,
    ...(place ?? { name: entry.name.slice(0, NAME_BYTES), prefix: '' }),
  });
  if (records.length === 0) return own;
  const body = Buffer.from(records.join(''), 'latin1');
  const extra = { name: PAX_NAME, prefix: '', flag: 'x', mode: 0o644, uid: 0, gid: 0, target: '' };
  const head = encodeBlock({ ...extra, sizeBytes: body.length, mtime: { seconds: 0, nanoseconds: 0 } });
  return Buffer.concat([head, body, paddingAfter(body.length), own]);
}

/** The zeros that fill the last block of an entry's content. */
export function paddingAfter(sizeBytes: number): Buffer {
  return Buffer.alloc((BLOCK - (sizeBytes % BLOCK)) % BLOCK);
}

/** What ends an archive. */
export const ARCHIVE_END: Buffer = Buffer.alloc(2 * BLOCK);

/** Name and prefix of a header; undefined where they have no room for it, or it is not ASCII, which ustar promises. */
function placeName(full: string): { readonly name: string; readonly prefix: string } | undefined {
  if (hasHighBytes(full)) return undefined;
  if (full.length <= NAME_BYTES) return { name: full, prefix: '' };
  const cut = full.indexOf('/', Math.max(1, full.length - NAME_BYTES - 1));
  if (cut < 1 || cut > PREFIX_BYTES || cut >= full.length - 1) return undefined;
  return { name: full.slice(cut + 1), prefix: full.slice(0, cut) };
}

const hasHighBytes = (text: string) => /[\x80-\xff]/.test(text);

/** The largest number that a field holds in octal, with the zero byte at its end. */
const octalLimit = (width: number) => 8 ** (width - 1) - 1;

/** `seconds[.fraction]`, counted down from zero for moments before 1970. */
function momentText({ seconds, nanoseconds }: Moment): string {
  const before = seconds < 0 && nanoseconds > 0;
  const whole = before ? seconds + 1 : seconds;
  const nano = before ? 1_000_000_000 - nanoseconds : nanoseconds;
  const fraction = nano === 0 ? '' : `.${String(nano).padStart(9, '0').replace(/0+$/, '')}`;
  return `${before && whole === 0 ? '-' : ''}${whole}${fraction}`;
}

/** `length key=value\n`, where the length counts its own digits. */
function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  let length = rest.length;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return `${length}${rest}`;
}

type Block = Required<Pick<WrittenEntry, 'flag' | 'name' | 'target' | 'mode' | 'uid' | 'gid' | 'mtime'>> & {
  readonly prefix: string;
  readonly sizeBytes: number;
  readonly major?: number;
  readonly minor?: number;
};

function encodeBlock(entry: Block): Buffer {
  const block = Buffer.alloc(BLOCK);
  const text = (value: string, at: number, width: number) => block.write(value.slice(0, width), at, 'latin1');
  const octal = (value: number, at: number, width: number) => {
    const fits = value >= 0 && value <= octalLimit(width);
    block.write((fits ? value : 0).toString(8).padStart(width - 1, '0'), at, 'latin1');
  };
  text(entry.name, 0, NAME_BYTES);
  octal(entry.mode & 0o7777, 100, 8);
  octal(entry.uid, 108, 8);
  octal(entry.gid, 116, 8);
  octal(entry.sizeBytes, 124, 12);
  octal(entry.mtime.seconds, 136, 12);
  text(entry.flag, 156, 1);
  text(entry.target, 157, NAME_BYTES);
  text('ustar\x0000', 257, 8);
  octal(entry.major ?? 0, 329, 8);
  octal(entry.minor ?? 0, 337, 8);
  text(entry.prefix, 345, PREFIX_BYTES);
  block.fill(0x20, 148, 156);
  let sum = 0;
  for (const byte of block) sum += byte;
  text(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 8);
  return block;
}
