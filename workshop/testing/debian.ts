import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { execa } from 'execa';
import { digestOf, hostArchitecture, type ImageOptions, layerOf } from './images.ts';
import { tempRoot } from './temp.ts';

/** Where what takes long to make is kept; it can be deleted at any time. */
export const CACHE = '/var/cache/berth';

const SUITE = 'bookworm';
const MIRROR = 'http://deb.debian.org/debian';
/** `top` and `ps`, which a minimal Debian lacks. */
const PACKAGES = 'procps';
/** What a package manager can get again: not worth carrying in an image. */
const LEFT_OUT = ['./var/cache/apt', './var/lib/apt/lists', './var/log', './dev', './proc', './sys'];

const CONFIG = {
  Cmd: ['bash'],
  Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
};

function tarballPath(): string {
  return join(CACHE, `debian-${SUITE}-${hostArchitecture}.tar.gz`);
}

/** Whether the image has been made before, and is kept. */
export async function debianImageKept(): Promise<boolean> {
  return await stat(tarballPath()).then(
    () => true,
    () => false,
  );
}

/**
 * A whole Debian as an image, for `pushImage`: debootstrap makes it in about a minute, once a machine. Root only.
 * Throws debootstrap's last words when it fails.
 */
export async function debianImage(options: { readonly signal?: AbortSignal } = {}): Promise<ImageOptions> {
  if (!(await debianImageKept())) await makeTarball(options.signal);
  const blob = await readFile(tarballPath());
  const { mediaType } = layerOf([]);
  const layer = { mediaType, blob, digest: digestOf(blob), diffId: digestOf(gunzipSync(blob)) };
  const created = (await stat(tarballPath())).mtime.toISOString();
  return { layers: [layer], config: CONFIG, created };
}

async function makeTarball(signal: AbortSignal | undefined): Promise<void> {
  await using root = await tempRoot('debootstrap');
  const tree = root.join('tree');
  const run = { ...(signal === undefined ? {} : { cancelSignal: signal }), all: true } as const;
  try {
    // In a mount namespace of its own: the /proc that debootstrap mounts goes with it, however it ends.
    await execa(
      'unshare',
      ['--mount', 'debootstrap', '--variant=minbase', `--include=${PACKAGES}`, SUITE, tree, await mirror()],
      { ...run, env: await proxy() },
    );
  } catch (error) {
    const said = error instanceof Error && 'all' in error ? String(error.all) : String(error);
    throw new Error(`debootstrap failed: ${said.trim().split('\n').slice(-3).join('; ')}`, { cause: error });
  }
  await Promise.all(
    LEFT_OUT.map(async (path) => {
      await rm(join(tree, path), { recursive: true, force: true });
      await mkdir(join(tree, path), { recursive: true });
    }),
  );
  // Its own name, and its mirror instead of this machine's proxy or mirror.
  await writeFile(join(tree, 'etc/hostname'), 'debian\n');
  await writeFile(join(tree, 'etc/apt/sources.list'), `deb ${MIRROR} ${SUITE} main\n`);
  await mkdir(CACHE, { recursive: true });
  const temporary = `${tarballPath()}.${process.pid}`;
  const sorted = ['--sort=name', '--numeric-owner', '--xattrs', '--one-file-system'];
  await execa('tar', ['-C', tree, ...sorted, '--use-compress-program=gzip -3', '-cf', temporary, '.'], run);
  await rename(temporary, tarballPath());
}

/** The mirror that this machine's apt uses for the suite, else Debian's own. */
async function mirror(): Promise<string> {
  const format = ['--format', '$(REPO_URI) $(RELEASE) $(COMPONENT)', 'Created-By: Packages'];
  const { stdout } = await execa('apt-get', ['indextargets', ...format], { reject: false });
  const found = stdout.split('\n').find((line) => line.endsWith(` ${SUITE} main`));
  return found?.split(' ')[0] ?? MIRROR;
}

/** debootstrap fetches with wget, which does not know apt's proxy. */
async function proxy(): Promise<Readonly<Record<string, string>>> {
  const { stdout } = await execa('apt-config', ['dump', '--format', '%v', 'Acquire::http::Proxy'], {
    reject: false,
  });
  return stdout.trim() === '' ? {} : { http_proxy: stdout.trim() };
}
