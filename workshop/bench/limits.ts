import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, gunzipSync } from 'node:zlib';
import { execa } from 'execa';
import { busyboxImage } from '../testing/images.ts';
import { tempRoot } from '../testing/temp.ts';
import { BENCH_IMAGE } from './image.ts';
import { timeProgram } from './program.ts';
import { serveImages } from './registry.ts';

/** What nothing can be faster than on this machine: the same work without an engine. */

export type Limit = AsyncDisposable & { readonly name: string; readonly measure: () => Promise<number> };

/** A fork, an exec and a wait. */
export function bareProgram(): Limit {
  return {
    name: 'fork and exec of true',
    measure: () => timeProgram(['/bin/true']),
    [Symbol.asyncDispose]: async () => {},
  };
}

/** The OCI runtime alone, on a root that is there: no image, layer, network, monitor or log. */
export async function bareRuntime(): Promise<Limit> {
  await using undo = new AsyncDisposableStack();
  const root = undo.use(await tempRoot('bench-bundle'));
  const { layers } = await busyboxImage();
  await mkdir(root.join('rootfs'));
  await execa('tar', ['-x', '-C', root.join('rootfs')], { input: gunzipSync(layers[0]?.blob ?? '') });
  await execa('runc', ['spec'], { cwd: root.path });
  const spec = JSON.parse(
    await execa('cat', ['config.json'], { cwd: root.path }).then(({ stdout }) => stdout),
  );
  spec.process.terminal = false;
  spec.process.args = ['/bin/true'];
  spec.process.rlimits = [];
  await writeFile(root.join('config.json'), JSON.stringify(spec));
  let index = 0;
  const runWith = (runtime: string) => () => {
    index += 1;
    return timeProgram([runtime, 'run', '--bundle', root.path, `bench-${process.pid}-${index}`]);
  };
  // crun 1.8 refuses hybrid cgroups.
  const runtime = (await runWith('crun')().then(
    () => 'crun',
    () => 'runc',
  )) as 'crun' | 'runc';
  const kept = undo.move();
  return {
    name: `bare ${runtime} run`,
    measure: runWith(runtime),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

/** Every layer fetched at once, verified, gunzipped and verified again; nothing written. */
export async function bareTransfer(): Promise<Limit> {
  await using undo = new AsyncDisposableStack();
  const registry = undo.use(await serveImages());
  const [name, tag] = BENCH_IMAGE.split(':');
  const base = `http://${registry.host}/v2/${name}`;
  const accept = { accept: 'application/vnd.oci.image.manifest.v1+json' };
  const measure = async () => {
    const startedMs = performance.now();
    const manifest = (await (await fetch(`${base}/manifests/${tag}`, { headers: accept })).json()) as {
      readonly layers: readonly { readonly digest: string }[];
    };
    await Promise.all(
      manifest.layers.map(async ({ digest }) => {
        const { body } = await fetch(`${base}/blobs/${digest}`);
        if (body === null) throw new Error(`${digest}: no body`);
        const [blob, tar] = [createHash('sha256'), createHash('sha256')];
        const verify = new Transform({
          transform: (chunk: Buffer, _encoding, next) => {
            blob.update(chunk);
            next(null, chunk);
          },
        });
        await pipeline(body, verify, createGunzip({ chunkSize: 256 * 1024 }), async (chunks) => {
          for await (const chunk of chunks as AsyncIterable<Buffer>) tar.update(chunk);
        });
        if (`sha256:${blob.digest('hex')}` !== digest) throw new Error(`${digest}: something else came`);
        tar.digest();
      }),
    );
    return performance.now() - startedMs;
  };
  const kept = undo.move();
  return { name: 'fetch, verify, gunzip, verify', measure, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}
