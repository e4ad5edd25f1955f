import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { createBody } from '../../engine/api/create.ts';
import type { Client } from '../../engine/client/index.ts';
import { runProgram } from '../../engine/host/programs.ts';
import { detectCgroups, removeCgroup } from '../../engine/runtime/cgroups.ts';
import { openRuntime } from '../../engine/runtime/oci.ts';
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

/**
 * The OCI runtime alone, `crun run` to the end, with the bundle that this engine makes for a container: its spec, root,
 * network namespace and cgroup are there already. Where crun needs a copy of the mount namespace (see
 * docs/decisions/0003-hybrid-cgroups.md), it is made beforehand and crun is only entered into it.
 */
export async function bareRuntime(engine: {
  readonly client: Client;
  readonly busybox: string;
  readonly runDir: string;
}): Promise<Limit> {
  await using undo = new AsyncDisposableStack();
  const root = undo.use(await tempRoot('bench-bundle'));
  const { client, busybox, runDir } = engine;
  const { Id: id } = await client.call(
    'containerCreate',
    {},
    { body: createBody(busybox, ['sleep', '100000'], {}) },
  );
  undo.defer(async () => void (await client.act('containerRemove', { id, force: true })));
  await client.act('containerStart', { id });
  const spec = JSON.parse(readFileSync(join(runDir, 'containers', id, 'config.json'), 'utf8'));
  spec.process.args = ['true'];
  spec.linux.cgroupsPath = `${spec.linux.cgroupsPath}-bare`;
  await writeFile(root.join('config.json'), JSON.stringify(spec));
  const cgroups = detectCgroups();
  const { name, invocation } = await openRuntime({
    stateDir: root.join('state'),
    runDir: root.path,
    cgroups,
    cgroupParent: '/',
  });
  const runtime = undo.use(invocation({ sharing: false }));
  undo.defer(() => removeCgroup(spec.linux.cgroupsPath));
  const kept = undo.move();
  let index = 0;
  return {
    name: `bare ${name} run`,
    measure: async () => {
      index += 1;
      const startedMs = performance.now();
      await runProgram(runtime.program, [...runtime.args, 'run', '--bundle', root.path, `bench-${index}`]);
      return performance.now() - startedMs;
    },
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
