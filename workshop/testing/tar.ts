/** A tar writer for tests: it writes whatever it is told, hostile things too. */

export type TarEntry = {
  readonly name: string | Buffer;
  /** ustar's type flags by name. */
  readonly type?: 'file' | 'hardlink' | 'symlink' | 'character' | 'block' | 'directory' | 'fifo';
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  /** Seconds since 1970; fractions go into a pax record. */
  readonly mtime?: number;
  readonly content?: string | Buffer;
  readonly target?: string;
  readonly major?: number;
  readonly minor?: number;
  readonly xattrs?: Readonly<Record<string, string | Buffer>>;
  /** More pax records. */
  readonly pax?: Readonly<Record<string, string | Buffer>>;
  /** The type flag itself, where none of the names fits. */
  readonly flag?: string;
  /** A size to lie about. */
  readonly size?: number;
};

const flags = {
  file: '0',
  hardlink: '1',
  symlink: '2',
  character: '3',
  block: '4',
  directory: '5',
  fifo: '6',
};
const BLOCK = 512;
const MTIME = 1_700_000_000;

/** The bytes of a tar archive with these entries, in this order. */
export function tarOf(entries: readonly TarEntry[]): Buffer {
  return Buffer.concat([...entries.flatMap(encodeEntry), Buffer.alloc(2 * BLOCK)]);
}

function encodeEntry(entry: TarEntry): readonly Buffer[] {
  const { type = 'file', mtime = MTIME } = entry;
  const name = typeof entry.name === 'string' ? Buffer.from(entry.name) : entry.name;
  const content = typeof entry.content === 'string' ? Buffer.from(entry.content) : entry.content;
  const pax: Record<string, string | Buffer> = { ...entry.pax };
  for (const [key, value] of Object.entries(entry.xattrs ?? {})) pax[`SCHILY.xattr.${key}`] = value;
  if (name.length > 100) pax.path = name;
  if (Buffer.byteLength(entry.target ?? '') > 100) pax.linkpath = entry.target ?? '';
  if (!Number.isInteger(mtime) || mtime < 0) pax.mtime = String(mtime);
  const records = Object.entries(pax);
  const body = content ?? Buffer.alloc(0);
  const head = header({ ...entry, name, flag: entry.flag ?? flags[type], size: entry.size ?? body.length });
  if (records.length === 0) return [head, ...padded(body)];
  const paxBody = Buffer.concat(records.map(([key, value]) => paxRecord(key, value)));
  const paxHead = header({ name: Buffer.from('PaxHeaders/entry'), flag: 'x', size: paxBody.length });
  return [paxHead, ...padded(paxBody), head, ...padded(body)];
}

function padded(body: Buffer): readonly Buffer[] {
  return [body, Buffer.alloc((BLOCK - (body.length % BLOCK)) % BLOCK)];
}

function paxRecord(key: string, value: string | Buffer): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), Buffer.from(value), Buffer.from('\n')]);
  let length = rest.length;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

function header(entry: {
  readonly name: Buffer;
  readonly flag: string;
  readonly size: number;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly mtime?: number;
  readonly target?: string;
  readonly major?: number;
  readonly minor?: number;
}): Buffer {
  const block = Buffer.alloc(BLOCK);
  entry.name.copy(block, 0, 0, 100);
  octal(block, { at: 100, width: 8, value: entry.mode ?? (entry.flag === '5' ? 0o755 : 0o644) });
  octal(block, { at: 108, width: 8, value: entry.uid ?? 0 });
  octal(block, { at: 116, width: 8, value: entry.gid ?? 0 });
  octal(block, { at: 124, width: 12, value: entry.size });
  octal(block, { at: 136, width: 12, value: Math.max(0, Math.floor(entry.mtime ?? MTIME)) });
  block.write(entry.flag, 156, 'latin1');
  block.write(entry.target ?? '', 157, 100);
  block.write('ustar\x0000', 257, 'latin1');
  octal(block, { at: 329, width: 8, value: entry.major ?? 0 });
  octal(block, { at: 337, width: 8, value: entry.minor ?? 0 });
  block.fill(0x20, 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

/** A number in octal; in base 256 (GNU tar) where octal has no room for it. */
function octal(
  block: Buffer,
  field: { readonly at: number; readonly width: number; readonly value: number },
): void {
  const { at, width, value } = field;
  const text = value.toString(8);
  if (text.length < width) {
    block.write(`${text.padStart(width - 1, '0')}\0`, at, 'latin1');
    return;
  }
  let rest = BigInt(value);
  for (let index = at + width - 1; index > at; index -= 1) {
    block[index] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  block[at] = 0x80;
}
