import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { busyboxImage, imageOf, layerOf, pushImage, type TestImage } from '../../workshop/testing/images.ts';
import { startRegistry } from '../../workshop/testing/registry.ts';
import { openTerminal } from '../../workshop/testing/terminal.ts';
import { type Behaviours, begin, type Given, print } from './given.ts';
import { holdRegistry } from './held-registry.ts';

/** Busybox with more layers of random bytes on it, which no engine has already. */
async function imageWithLayers(...sizes: readonly number[]): Promise<TestImage> {
  const busybox = await busyboxImage();
  const more = sizes.map((size, index) =>
    layerOf([{ name: `random-${index}`, type: 'file', content: randomBytes(size) }]),
  );
  return imageOf({ ...busybox, layers: [...busybox.layers, ...more] });
}

async function forget({ berth, host }: Given, image: string): Promise<void> {
  await berth.run(['rmi', '-f', image], { host });
}

/** `pull`, and what `run` pulls. */
export const pulling: Behaviours = {
  'pull prints the full name; progress in plain lines goes to standard error': async (given) => {
    const { berth, host } = given;
    await using registry = await holdRegistry(await imageWithLayers(200_000), given.registryPort);
    registry.release();
    await given.reachPort(registry.port);
    const image = `${registry.host}/team/app:1.0`;
    const first = await berth.run(['pull', image], { host });
    assert.deepEqual([first.code, first.stdout], [0, `${image}\n`], first.stderr);
    assert.doesNotMatch(first.stderr, /[\x1b\r]/);
    if (given.engine !== 'podman') {
      assert.match(first.stderr, /^[0-9a-f]{12}: Pull complete$/m);
      assert.match(first.stderr, new RegExp(`Status: Downloaded newer image for ${image}\n$`));
    }
    assert.equal(await print(given, 'pull', '-q', image), `${image}\n`);
    assert.equal(await print(given, 'images', '--format', '{{.Repository}}:{{.Tag}}', image), `${image}\n`);
    const removed = await print(given, 'rmi', image);
    assert.match(removed, /^Untagged: \S*team\/app:1\.0$/m);
    assert.match(removed, /^Deleted: (sha256:)?[0-9a-f]{64}$/m);
  },

  'run pulls what is missing, and keeps its own standard output clean': async (given) => {
    const { berth, host } = given;
    await using registry = await holdRegistry(await imageWithLayers(1000), given.registryPort);
    registry.release();
    await given.reachPort(registry.port);
    const image = `${registry.host}/team/run:1`;
    try {
      const ended = await berth.run(['run', '--rm', image, 'echo', 'here'], { host });
      assert.deepEqual([ended.code, ended.stdout], [0, 'here\n'], ended.stderr);
      assert.match(ended.stderr, new RegExp(`^Unable to find image '${image}' locally\n`));
      const quiet = await berth.run(['run', '--rm', '-q', '--pull', 'always', image, 'echo', 'again'], {
        host,
      });
      assert.deepEqual(quiet, { code: 0, stdout: 'again\n', stderr: '' });
    } finally {
      await forget(given, image);
    }
  },

  'an image that is nowhere, and a registry that is down, are said in one message': async (given) => {
    const { berth, host } = given;
    await using registry = await startRegistry({ port: given.registryPort ?? 0 });
    const port = Number(registry.host.split(':')[1]);
    await given.reachPort(port);
    const image = `${registry.host}/no/such:tag`;
    for (const [args, code] of [
      [['pull', image], 1],
      [['run', image], 125],
    ] as const) {
      const ended = await berth.run(args, { host });
      assert.deepEqual([ended.code, ended.stdout], [code, ''], ended.stderr);
      assert.match(ended.stderr, /^berth: .*(not found|unknown)/im);
    }
    await registry.stop();
    const down = await berth.run(['pull', image], { host });
    assert.deepEqual([down.code, down.stdout], [1, '']);
    assert.match(down.stderr, /^berth: .*\b127\.0\.0\.1:\d+/m);
    const malformed = await berth.run(['pull', 'team/UPPER'], { host });
    assert.deepEqual([malformed.code, malformed.stdout], [1, '']);
    assert.match(malformed.stderr, /^berth: invalid reference format: 'team\/UPPER'.*lower case/);
  },

  'Ctrl-C ends a pull with 130, and nothing is pulled': async (given) => {
    await using registry = await holdRegistry(await imageWithLayers(4_000_000), given.registryPort);
    await given.reachPort(registry.port);
    const image = `${registry.host}/team/slow:1`;
    const pull = begin(given, 'pull', image);
    await pull.complained(/Pulling fs layer|Copying blob|Downloading|Pulling/);
    const cancelledAtMs = performance.now();
    pull.child.kill('SIGINT');
    const { code, stdout } = await pull.ended;
    assert.deepEqual([code, stdout], [130, '']);
    assert(performance.now() - cancelledAtMs < 1000);
    registry.release();
    assert.equal(await print(given, 'images', '-q', image), '');
  },

  'credentials that docker login stored are sent to their registry, and to no other': async (given) => {
    const { berth, host } = given;
    await using registry = await startRegistry({ mode: 'htpasswd', port: given.registryPort ?? 0 });
    await given.reachPort(Number(registry.host.split(':')[1]));
    await pushImage({ registry, name: 'private/app', ...(await busyboxImage()) });
    const image = `${registry.host}/private/app:latest`;
    const refused = await berth.run(['pull', image], { host });
    assert.deepEqual([refused.code, refused.stdout], [1, '']);
    assert.match(refused.stderr, /auth|denied|credentials/i);
    const { username = '', password = '' } = registry.credentials ?? {};
    const auth = Buffer.from(`${username}:${password}`).toString('base64');
    const config = berth.join(`docker-${given.engine}`);
    await mkdir(config);
    await writeFile(`${config}/config.json`, JSON.stringify({ auths: { [registry.host]: { auth } } }));
    try {
      const pulled = await berth.run(['pull', '-q', image], { host, env: { DOCKER_CONFIG: config } });
      assert.deepEqual(pulled, { code: 0, stdout: `${image}\n`, stderr: '' });
      await writeFile(`${config}/config.json`, '{');
      const broken = await berth.run(['pull', '-q', image], { host, env: { DOCKER_CONFIG: config } });
      assert.equal(broken.code, 1);
      assert.match(broken.stderr, /config\.json is not a JSON object/);
    } finally {
      await rm(config, { recursive: true, force: true });
      await forget(given, image);
    }
  },

  'a pull on a terminal has a bar for each layer and one for the whole, redrawn in place': async (given) => {
    if (given.engine === 'podman') return; // Its API tells of no bytes.
    const { berth, host } = given;
    await using registry = await holdRegistry(
      await imageWithLayers(3_000_000, 5_000_000),
      given.registryPort,
    );
    await given.reachPort(registry.port);
    const image = `${registry.host}/team/bars:1`;
    const env = { ...berth.env, BERTH_HOST: host };
    try {
      await using terminal = openTerminal({
        command: [...berth.command, 'pull', image],
        env,
        columns: 100,
        rows: 12,
      });
      const half = await terminal.waitFor(
        /Downloading +\[=*> +\] +[\d.]+[kM]B\/5MB\n[\s\S]*Total +\d of 3 layers +\[=*>/,
      );
      assert.match(half, /^1: Pulling from team\/bars\n([0-9a-f]{12} .*\n){3}Total .*B\/[\d.]+MB/);
      const bars = half
        .split('\n')
        .flatMap((line) => (line.includes('[') ? [line.indexOf(']') - line.indexOf('[')] : []));
      assert.equal(new Set(bars).size, 1, half);
      // Narrower than the bars: they go, and no line is wrapped into another's place.
      terminal.resize(50, 12);
      registry.release();
      assert.deepEqual(await terminal.exited, { exitCode: 0, signal: 0 });
      const end = terminal.screen().replace(/\n+$/, '').split('\n');
      const from = end.findIndex((line) => / Pull complete$/.test(line));
      assert.match(
        end.slice(from).join('\n'),
        /^([0-9a-f]{12} {2}(?:Pull complete|Already exists)\n){2,3}Total +3 of 3 layers +[\d.]+MB\/[\d.]+MB.*\nDigest: sha256:/,
      );
      assert.match(end.at(-1) ?? '', new RegExp(`${image}$`));
    } finally {
      await forget(given, image);
    }
  },
};
