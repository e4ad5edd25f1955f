import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { execa } from 'execa';
import { CACHE } from './debian.ts';
import { digestOf, hostArchitecture, type ImageOptions, layerOf, type TestLayer } from './images.ts';
import { tempRoot } from './temp.ts';

/** What is read by people: not worth carrying in an image. */
const LEFT_OUT = ['usr/share/doc', 'usr/share/man', 'usr/share/locale', 'usr/share/lintian'];
/** Debian's /usr is merged: an archive that still says /lib means /usr/lib. */
const MERGED = ['bin', 'sbin', 'lib', 'lib64'];

export type PackagesOptions = {
  readonly packages: readonly string[];
  /** Of what they depend on, the names of packages that the image does without. */
  readonly without: RegExp;
  /** Users that a package's script would add, each with a group of its own, by number. */
  readonly users?: Readonly<Record<string, number>>;
};

/**
 * A layer for on top of a Debian image: Debian packages with all they depend on and it lacks, unpacked. No script of
 * theirs runs. Made once a machine, and kept; Debian's mirror is asked with apt. Throws apt's last words when it fails.
 */
export async function packagesLayer(debian: ImageOptions, options: PackagesOptions): Promise<TestLayer> {
  const { packages, without, users } = options;
  const chosen = JSON.stringify([packages, without.source, users, LEFT_OUT, debian.created]);
  const key = createHash('sha256').update(chosen).digest('hex').slice(0, 12);
  const path = join(CACHE, `packages-${packages[0]}-${hostArchitecture}-${key}.tar.gz`);
  const kept = await stat(path).then(
    () => true,
    () => false,
  );
  if (!kept) await makeLayer(path, debian, options);
  const blob = await readFile(path);
  return {
    mediaType: layerOf([]).mediaType,
    blob,
    digest: digestOf(blob),
    diffId: digestOf(gunzipSync(blob)),
  };
}

async function makeLayer(path: string, debian: ImageOptions, options: PackagesOptions): Promise<void> {
  await using root = await tempRoot('packages');
  const base = await root.directory('base');
  const archives = await root.directory('archives');
  const tree = await root.directory('tree');
  const files = ['etc/passwd', 'etc/group', 'var/lib/dpkg/status'].map((name) => `./${name}`);
  for (const { blob } of debian.layers) await execa('tar', ['-C', base, '-xz', ...files], { input: blob });
  const download = () =>
    downloadArchives({ directory: archives, status: join(base, 'var/lib/dpkg/status'), ...options });
  // Once more with fresh lists: there were none, or so old ones that the mirror has newer packages.
  await download().catch(() => apt(['update']).then(download));
  for (const name of MERGED) {
    await mkdir(join(tree, 'usr', name), { recursive: true });
    await symlink(`usr/${name}`, join(tree, name));
  }
  const unpack = ['-C', tree, '-xp', '--keep-directory-symlink'];
  for (const archive of await readdir(archives))
    await execa('dpkg', ['--fsys-tarfile', join(archives, archive)], { encoding: 'buffer' }).pipe(
      'tar',
      unpack,
    );
  await Promise.all(LEFT_OUT.map((name) => rm(join(tree, name), { recursive: true, force: true })));
  const users = Object.entries(options.users ?? {});
  const added = {
    passwd: users.map(([name, id]) => `${name}:x:${id}:${id}::/nonexistent:/usr/sbin/nologin\n`),
    group: users.map(([name, id]) => `${name}:x:${id}:\n`),
  };
  for (const [name, lines] of Object.entries(added)) {
    const before = await readFile(join(base, 'etc', name), 'utf8');
    await writeFile(join(tree, 'etc', name), before + lines.join(''));
  }
  await mkdir(CACHE, { recursive: true });
  const temporary = `${path}.${process.pid}`;
  const how = ['--sort=name', '--numeric-owner', '--use-compress-program=gzip -3'];
  await execa('tar', ['-C', tree, ...how, '-cf', temporary, '.']);
  await rename(temporary, path);
}

/** Downloads the packages that apt would install on a machine with this dpkg status, but those left out. */
async function downloadArchives(options: {
  readonly directory: string;
  readonly status: string;
  readonly packages: readonly string[];
  readonly without: RegExp;
}): Promise<void> {
  const { directory, status, packages, without } = options;
  const install = ['install', '--simulate', '--no-install-recommends', ...packages];
  const plan = await apt(['-o', `Dir::State::status=${status}`, ...install]);
  const wanted = [...plan.matchAll(/^Inst (\S+) (?:\[.*?\] )?\((\S+) /gm)]
    .filter(([, name]) => !without.test(name ?? ''))
    .map(([, name, version]) => `${name}=${version}`);
  await apt(['download', ...wanted], directory);
}

/** Runs apt-get, patient with another that is at work; gives what it printed. */
async function apt(args: readonly string[], cwd = '/'): Promise<string> {
  const patient = ['DPkg::Lock::Timeout=300', 'Acquire::Retries=3', 'APT::Sandbox::User=root'];
  const options = patient.flatMap((option) => ['-o', option]);
  try {
    const { stdout } = await execa('apt-get', ['-q', '-y', ...options, ...args], {
      cwd,
      env: { DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' },
    });
    return stdout;
  } catch (error) {
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error);
    throw new Error(`apt-get failed: ${said.trim().split('\n').slice(-3).join('; ')}`, { cause: error });
  }
}
