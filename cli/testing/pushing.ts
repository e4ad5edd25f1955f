import assert from 'node:assert/strict';
import { startUploadRegistry, type UploadRegistry } from '../../workshop/testing/upload-registry.ts';
import { type Behaviours, type Given, print } from './given.ts';

/** A registry that the engine reaches, and a name for its busybox there, which goes with it. */
async function place(
  given: Given,
  tag: string,
): Promise<AsyncDisposable & { registry: UploadRegistry; image: string }> {
  await using undo = new AsyncDisposableStack();
  const registry = undo.use(await startUploadRegistry(undefined, given.registryPort));
  await given.reachPort(Number(registry.host.split(':')[1]));
  const image = `${registry.host}/app`;
  await print(given, 'tag', 'busybox', `${image}:${tag}`);
  undo.defer(async () => void (await given.berth.run(['rmi', `${image}:${tag}`], { host: given.host })));
  const kept = undo.move();
  return { registry, image, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

export const pushing: Behaviours = {
  'push prints the full name; progress in plain lines goes to standard error': async (given) => {
    const { berth, host } = given;
    await using there = await place(given, 'latest');
    const { image, registry } = there;
    const pushed = await berth.run(['push', image], { host });
    assert.deepEqual([pushed.code, pushed.stdout], [0, `${image}:latest\n`], pushed.stderr);
    assert.match(pushed.stderr, /^Using default tag: latest\n/);
    assert.doesNotMatch(pushed.stderr, /[\x1b\r]/);
    assert.deepEqual([...registry.manifests.keys()], ['latest']);
    assert.deepEqual(await berth.run(['push', '-q', `${image}:latest`], { host }), {
      code: 0,
      stdout: `${image}:latest\n`,
      stderr: '',
    });
  },
  'push -a pushes all tags, and takes none itself': async (given) => {
    const { berth, host } = given;
    if (given.engine === 'podman') return;
    await using there = await place(given, '1');
    const { image, registry } = there;
    await print(given, 'tag', 'busybox', `${image}:2`);
    assert.equal(await print(given, 'push', '-a', '-q', image), `${image}\n`);
    assert.deepEqual([...registry.manifests.keys()].toSorted(), ['1', '2']);
    const wrong = await berth.run(['push', '-a', `${image}:1`], { host });
    assert.deepEqual([wrong.code, wrong.stdout], [125, '']);
    assert.match(wrong.stderr, /tag can't be used with --all-tags/);
    await print(given, 'rmi', `${image}:2`);
  },
  'push of a name that is not there fails with its name': async (given) => {
    const { code, stdout, stderr } = await given.berth.run(['push', '127.0.0.1:1/nobody'], {
      host: given.host,
    });
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(stderr, /127\.0\.0\.1:1\/nobody/);
  },
};
