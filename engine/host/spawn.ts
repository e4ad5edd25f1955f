import { Socket } from 'node:net';
import { call, check, cString, errnoError } from './libc.ts';

/** A program that was started. */
export type Started = {
  readonly pid: number;
  /** The engine's ends of the pipes that were asked for, by the program's descriptor. */
  readonly pipes: ReadonlyMap<number, Socket>;
  /** Settles when it has ended: its exit code, 128 and the signal's number where a signal ended it. */
  readonly ended: Promise<number>;
};

export type StartOptions = {
  readonly args: readonly string[];
  /** Directory in which it starts. */
  readonly cwd?: string | undefined;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Descriptors of the program that are pipes to the engine; 0, 1 and 2 are /dev/null where they are not among them. */
  readonly pipes?: Readonly<Record<number, 'read' | 'write'>>;
  /** What takes the place of /dev/null: a device that may change hands. */
  readonly nullDevice?: string | undefined;
  /**
   * A descriptor that the program holds to its end and hands on to nothing that it starts: its end is seen at once
   * then, and not looked for.
   */
  readonly heldToEnd?: number;
  /** A session and a process group of its own: signals for the engine's group don't reach it. */
  readonly detached?: boolean;
};

const O_RDWR = 2;
const O_CLOEXEC = 0o2000000;
const F_DUPFD_CLOEXEC = 1030;
const POSIX_SPAWN_SETSIGDEF = 0x04;
const POSIX_SPAWN_SETSIGMASK = 0x08;
const POSIX_SPAWN_SETSID = 0x80;
const WNOHANG = 1;
/** More than sizeof posix_spawnattr_t (336) and posix_spawn_file_actions_t (80), in glibc and in musl. */
const STRUCT_BYTES = 512;
/** More than sizeof sigset_t (128). */
const SIGSET_BYTES = 256;
/** The program's ends of pipes are moved above this, so that none stands where another is to be put. */
const FIRST_FREE = 64;

/**
 * Starts a program by its full path, with its arguments as a list. posix_spawn(3) shares the engine's memory with the
 * child until it executes: 1 ms where fork(2), which Node's own spawn takes, copies the page tables of all of it in 6.
 * Throws what the system call said: `ENOENT`, `EACCES`, …
 */
export function startProgram(program: string, options: StartOptions): Started {
  const { heldToEnd, nullDevice = '/dev/null' } = options;
  const held = heldToEnd === undefined ? {} : { [heldToEnd]: 'read' as const };
  const wanted = Object.entries({ ...options.pipes, ...held }).map(([fd, way]) => ({ fd: Number(fd), way }));
  const actions = Buffer.alloc(STRUCT_BYTES);
  const attributes = spawnAttributes(options.detached === true);
  done(call('int posix_spawn_file_actions_init(uint8_t *)')(actions), 'posix_spawn', program);
  const pipes = new Map<number, { readonly ours: number; readonly theirs: number }>();
  let pid = 0;
  try {
    for (const fd of [0, 1, 2]) if (!wanted.some((pipe) => pipe.fd === fd)) addOpen(actions, fd, nullDevice);
    if (options.cwd !== undefined)
      done(
        call('int posix_spawn_file_actions_addchdir_np(uint8_t *, const uint8_t *)')(
          actions,
          cString(options.cwd),
        ),
        'chdir',
        options.cwd,
      );
    for (const { fd, way } of wanted) {
      const pipe = openPipe(way);
      pipes.set(fd, pipe);
      done(
        call('int posix_spawn_file_actions_adddup2(uint8_t *, int, int)')(actions, pipe.theirs, fd),
        'dup2',
        program,
      );
    }
    const environment = Object.entries(options.env ?? process.env).flatMap(([name, value]) =>
      value === undefined ? [] : [`${name}=${value}`],
    );
    const out = [0];
    done(
      call(
        'int posix_spawn(_Out_ int *, const uint8_t *, const uint8_t *, const uint8_t *, const char **, const char **)',
      )(out, cString(program), actions, attributes, [program, ...options.args, null], [...environment, null]),
      'posix_spawn',
      program,
    );
    pid = out[0] ?? 0;
  } catch (error) {
    for (const { ours } of pipes.values()) closeDescriptor(ours);
    throw error;
  } finally {
    for (const { theirs } of pipes.values()) closeDescriptor(theirs);
    call('int posix_spawn_file_actions_destroy(uint8_t *)')(actions);
    call('int posix_spawnattr_destroy(uint8_t *)')(attributes);
  }
  const sockets = new Map(
    wanted.map(({ fd, way }) => {
      const ours = pipes.get(fd)?.ours ?? -1;
      return [fd, new Socket({ fd: ours, readable: way === 'read', writable: way === 'write' })] as const;
    }),
  );
  const end = heldToEnd === undefined ? undefined : sockets.get(heldToEnd);
  return { pid, pipes: sockets, ended: end === undefined ? reap(pid) : closed(end).then(() => reap(pid)) };
}

/** Default signals, whatever this process ignores or holds back: an ignored SIGPIPE would be passed on. */
function spawnAttributes(detached: boolean): Buffer {
  const attributes = Buffer.alloc(STRUCT_BYTES);
  const signals = Buffer.alloc(SIGSET_BYTES);
  call('int posix_spawnattr_init(uint8_t *)')(attributes);
  call('int sigemptyset(uint8_t *)')(signals);
  call('int posix_spawnattr_setsigmask(uint8_t *, const uint8_t *)')(attributes, signals);
  call('int sigfillset(uint8_t *)')(signals);
  call('int posix_spawnattr_setsigdefault(uint8_t *, const uint8_t *)')(attributes, signals);
  const flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | (detached ? POSIX_SPAWN_SETSID : 0);
  call('int posix_spawnattr_setflags(uint8_t *, short)')(attributes, flags);
  return attributes;
}

function addOpen(actions: Buffer, fd: number, path: string): void {
  const add = call(
    'int posix_spawn_file_actions_addopen(uint8_t *, int, const uint8_t *, int, unsigned int)',
  );
  done(add(actions, fd, cString(path), O_RDWR, 0), 'open', path);
}

/** `way` is the engine's: what it reads, the program writes. */
function openPipe(way: 'read' | 'write'): { readonly ours: number; readonly theirs: number } {
  const ends = Buffer.alloc(8);
  check(call('int pipe2(uint8_t *, int)')(ends, O_CLOEXEC), 'pipe2', '');
  const [reads, writes] = [ends.readInt32LE(0), ends.readInt32LE(4)];
  const [ours, low] = way === 'read' ? [reads, writes] : [writes, reads];
  const theirs = call('int fcntl(int, int, int)')(low, F_DUPFD_CLOEXEC, FIRST_FREE);
  closeDescriptor(low);
  if (theirs < 0) closeDescriptor(ours);
  check(theirs, 'fcntl', '');
  return { ours, theirs };
}

function closeDescriptor(descriptor: number): void {
  call('int close(int)')(descriptor);
}

/** Calls of this family give the errno itself. */
function done(errno: number, syscall: string, path: string): void {
  if (errno !== 0) throw errnoError(errno, syscall, path);
}

function closed(pipe: Socket): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  pipe.on('error', () => pipe.destroy()).once('close', () => resolve());
  pipe.resume();
  return promise;
}

/** How long until an ended child is looked for again: first at once, for most run for a few milliseconds. */
const REAP_AFTER_MS = [1, 1, 1, 2, 2, 4, 4, 8, 8, 16, 32, 50];

/**
 * Waits for a child without holding a thread. Node's own handler of SIGCHLD asks for its own children alone, by their
 * pids, and leaves this one to us.
 */
async function reap(pid: number): Promise<number> {
  const status = [0];
  for (let look = 0; ; look += 1) {
    const { promise, resolve } = Promise.withResolvers<void>();
    setTimeout(resolve, REAP_AFTER_MS[look] ?? REAP_AFTER_MS.at(-1));
    await promise;
    const found = call('int waitpid(int, _Out_ int *, int)')(pid, status, WNOHANG);
    if (found !== 0) break;
  }
  // wait(2): the low seven bits are the signal, the next byte the exit code.
  const [word = 0] = status;
  return (word & 0x7f) === 0 ? (word >> 8) & 0xff : 128 + (word & 0x7f);
}
