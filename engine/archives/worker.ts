import { parentPort, workerData } from 'node:worker_threads';
import { BerthError } from '../api/errors.ts';
import { createTarReader } from '../tar/reader.ts';
import { changesBetween } from './changes.ts';
import { createExtractor } from './extract.ts';
import { openView } from './mounts.ts';
import { createPacker } from './pack.ts';
import { findNamed, inWords } from './path-stat.ts';
import {
  CANCELLED,
  type Given,
  type Job,
  MAX_WAITING,
  type Message,
  TAKEN,
  type ThreadData,
} from './protocol.ts';

/**
 * Works on one tree's files, in a thread of its own: with system calls in a row, which here hold nobody up, not even
 * where a container's file system never answers.
 */

/** An archive goes to the engine in pieces of about this size. */
const CHUNK_BYTES = 256 * 1024;

const { job, shared } = workerData as ThreadData;

function say(message: Message, transfer: readonly ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, [...transfer]);
}

function stopIfCancelled(): void {
  if (Atomics.load(shared, CANCELLED) !== 0) throw new BerthError('cancelled', 'cancelled');
}

/** Sends bytes in chunks, and waits while too many of them have not been taken. */
function openOutlet() {
  let pieces: Buffer[] = [];
  let size = 0;
  let sent = 0;
  const flush = () => {
    if (size === 0) return;
    const bytes = new Uint8Array(size);
    let at = 0;
    for (const piece of pieces) {
      bytes.set(piece, at);
      at += piece.length;
    }
    [pieces, size] = [[], 0];
    for (;;) {
      stopIfCancelled();
      const taken = Atomics.load(shared, TAKEN);
      if (sent - taken < MAX_WAITING) break;
      Atomics.wait(shared, TAKEN, taken);
    }
    sent += 1;
    say({ type: 'chunk', bytes }, [bytes.buffer]);
  };
  return {
    flush,
    write: (bytes: Buffer) => {
      pieces.push(bytes);
      size += bytes.length;
      if (size >= CHUNK_BYTES) flush();
    },
  };
}

function pack(job: Extract<Job, { kind: 'pack' }>): void {
  using root = openView(job.view);
  using named = findNamed(root.descriptor, job.path);
  const { directory, child, stat } = named;
  const name = job.as ?? named.name;
  say({ type: 'stat', stat });
  const outlet = openOutlet();
  const packer = createPacker(outlet);
  if (child === '') packer.directory(directory, name === '/' ? name : `${name}/`);
  else packer.entry(directory, child, name);
  packer.finish();
  outlet.flush();
  say({ type: 'done' });
}

function packWhole(view: Extract<Job, { kind: 'export' }>['view'], layer: boolean): void {
  using root = openView(view);
  const outlet = openOutlet();
  const packer = createPacker({ ...outlet, layer });
  packer.inside(root.descriptor, '');
  packer.finish();
  outlet.flush();
  say({ type: 'done' });
}

function stat(job: Extract<Job, { kind: 'stat' }>): void {
  using root = openView(job.view);
  using named = findNamed(root.descriptor, job.path);
  say({ type: 'stat', stat: named.stat });
  say({ type: 'done' });
}

function changes(job: Extract<Job, { kind: 'changes' }>): void {
  using lower = openView(job.lower);
  using upper = openView({ kind: 'directory', path: job.upper });
  say({ type: 'done', changes: changesBetween(upper.descriptor, lower.descriptor) });
}

/** Takes the archive as it comes. Settles when all of it is there. */
async function extract(job: Extract<Job, { kind: 'extract' }>): Promise<void> {
  using root = openView(job.view);
  let extractor: ReturnType<typeof createExtractor>;
  try {
    extractor = createExtractor(root.descriptor, job);
  } catch (error) {
    throw inWords(error, job.path);
  }
  const reader = createTarReader(extractor);
  say({ type: 'taken' });
  try {
    await new Promise<void>((resolve, reject) => {
      parentPort?.on('message', (given: Given) => {
        try {
          stopIfCancelled();
          if (given === 'broken') throw new BerthError('cancelled', 'cancelled');
          if (given === 'end') {
            reader.finish();
            extractor.finish();
            resolve();
          } else {
            reader.push(Buffer.from(given.buffer, given.byteOffset, given.byteLength));
            say({ type: 'taken' });
          }
        } catch (error) {
          reject(error);
        }
      });
    });
  } finally {
    extractor.close();
    // What was still on its way to it holds nobody up.
    parentPort?.unref();
  }
  say({ type: 'done' });
}

async function run(job: Job): Promise<void> {
  switch (job.kind) {
    case 'stat':
      return stat(job);
    case 'pack':
      return pack(job);
    case 'export':
      return packWhole(job.view, false);
    case 'layer':
      return packWhole({ kind: 'directory', path: job.upper }, true);
    case 'changes':
      return changes(job);
    case 'extract':
      return await extract(job);
  }
}

function failure(error: unknown): Message {
  if (error instanceof BerthError)
    return { type: 'refused', code: error.code, message: error.message, hint: error.hint };
  const { code, message } = error as NodeJS.ErrnoException;
  return { type: 'failed', errno: code, message };
}

run(job).catch((error) => say(failure(error)));
