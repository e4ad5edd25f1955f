import { createRequire } from 'node:module';
import { constants } from 'node:os';
import type { KoffiFunc } from 'koffi';

/** The C library that this process runs on. Nothing else in Berth loads a native library. */

type Koffi = typeof import('koffi')['default'];

let loaded: Koffi | undefined;
/** Loaded when something is called for the first time: some threads come and go without a call. */
export function koffi(): Koffi {
  loaded ??= createRequire(import.meta.url)('koffi') as Koffi;
  return loaded;
}

/** A path: text, or the bytes of a name that is not UTF-8. */
export type Path = string | Buffer;

type Call = KoffiFunc<(...values: unknown[]) => number>;

// dlopen(NULL): the C library that this process runs on already, glibc or musl.
let libc: ReturnType<Koffi['load']> | undefined;
const calls = new Map<string, Call>();

/** A function of the C library, by its C prototype. */
export function call(prototype: string): Call {
  let found = calls.get(prototype);
  if (found === undefined) {
    libc ??= koffi().load(null);
    found = libc.func(prototype) as Call;
    calls.set(prototype, found);
  }
  return found;
}

/** How many calls may be in threads of Node's pool, or wait for one: koffi refuses those above some hundred. */
const MAX_ASIDE = 64;
let aside = 0;
const turns: (() => void)[] = [];

/** Calls it in a thread of Node's pool, after those that came before. What its pointers point at is kept until it is back. */
export async function callAside(prototype: string, ...values: readonly unknown[]): Promise<number> {
  if (aside < MAX_ASIDE) aside += 1;
  else await new Promise<void>((come) => turns.push(come));
  try {
    return await new Promise((resolve, reject) => {
      call(prototype).async(...values, (error: unknown, result: number) => {
        if (error) reject(error);
        else resolve(result);
      });
    });
  } finally {
    const next = turns.shift();
    if (next === undefined) aside -= 1;
    else next();
  }
}

const codeOfErrno = new Map(Object.entries(constants.errno).map(([code, errno]) => [errno, code]));
// EWOULDBLOCK and EOPNOTSUPP share their numbers with these, which are the names that Node uses.
codeOfErrno.set(constants.errno.EAGAIN, 'EAGAIN');
codeOfErrno.set(constants.errno.ENOTSUP, 'ENOTSUP');

/** Throws what errno says where a call gave a negative result, with Node's fields (`code`, `errno`, `syscall`, `path`). */
export function check(result: number, syscall: string, path: Path, detail = ''): void {
  if (result < 0) throw errnoError(koffi().errno(), syscall, path, detail);
}

/** The error of an errno that a call returned itself, as posix_spawn(3) does. */
export function errnoError(errno: number, syscall: string, path: Path, detail = ''): NodeJS.ErrnoException {
  const code = codeOfErrno.get(errno) ?? `E${errno}`;
  const error: NodeJS.ErrnoException = new Error(`${code}: ${syscall} '${path}'${detail}`);
  return Object.assign(error, { code, errno: -errno, syscall, path: path.toString() });
}

/** The path as C wants it. A zero byte would cut it short, and name another file. */
export function cString(path: Path): Buffer {
  const bytes = typeof path === 'string' ? Buffer.from(`${path}\0`) : Buffer.concat([path, Buffer.of(0)]);
  if (bytes.indexOf(0) !== bytes.length - 1) {
    throw Object.assign(new Error(`EINVAL: zero byte in '${path}'`), { code: 'EINVAL' });
  }
  return bytes;
}
