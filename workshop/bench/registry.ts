import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { CACHE } from '../testing/debian.ts';
import { busyboxImage, pushImage } from '../testing/images.ts';
import { tempRoot } from '../testing/temp.ts';
import { BENCH_IMAGE, pushBenchImages, SMALL_IMAGE } from './image.ts';

/**
 * Registries over one storage, one in each network namespace that an engine under test has: all pull from their own
 * loopback, through nothing but a socket.
 */

const STORAGE = join(CACHE, 'bench-registry');
const FILLED = join(STORAGE, `filled-${[BENCH_IMAGE, SMALL_IMAGE].join('-').replaceAll(':', '-')}`);

export type BenchRegistry = AsyncDisposable & { readonly host: string };

/** Starts a registry in the network namespace of `pid`, or in ours. */
export async function serveImages(pid?: number): Promise<BenchRegistry> {
  await using undo = new AsyncDisposableStack();
  const root = undo.use(await tempRoot('bench-registry'));
  const config = root.join('config.yml');
  await mkdir(STORAGE, { recursive: true });
  await writeFile(
    config,
    JSON.stringify({
      version: '0.1',
      log: { level: 'info', accesslog: { disabled: true } },
      storage: { filesystem: { rootdirectory: STORAGE }, cache: { blobdescriptor: 'inmemory' } },
      http: { addr: '127.0.0.1:0' },
    }),
  );
  const serve = ['docker-registry', 'serve', config];
  const [program = '', ...args] =
    pid === undefined ? serve : ['nsenter', '--net', '-t', String(pid), ...serve];
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  undo.defer(() => void child.kill('SIGKILL'));
  const host = await new Promise<string>((found, fail) => {
    child.once('error', fail);
    child.once('exit', () => fail(new Error('docker-registry ended')));
    createInterface({ input: child.stderr }).on('line', (line) => {
      const address = /listening on (127\.0\.0\.1:\d+)/.exec(line)?.[1];
      if (address !== undefined) found(address);
    });
  });
  const kept = undo.move();
  return { host, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

/** Puts the images into the storage, unless they are there from an earlier time. */
export async function fillStorage(say: (what: string) => void): Promise<void> {
  if (existsSync(FILLED)) return;
  // Of an earlier version, or half filled.
  await rm(STORAGE, { recursive: true, force: true });
  say('making an image of 550 MB and 60,000 files, once: half a minute …');
  await using registry = await serveImages();
  const target = { url: `http://${registry.host}` };
  await pushBenchImages(target);
  await pushImage({ registry: target, name: 'busybox', ...(await busyboxImage()) });
  await writeFile(FILLED, '');
}
