import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  futimesSync,
  lchownSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeSync,
} from 'node:fs';
import { BerthError, isErrno } from '../../engine/api/errors.ts';
import type { Moment } from '../../engine/tar/header.ts';
import { createTarReader, shown, type TarEntry, type TarReader } from '../../engine/tar/reader.ts';

export type LocalExtraction = {
  /** An existing directory. */
  readonly directory: string;
  /** What the archive calls the thing that is copied, and what it is to be called here. */
  readonly root: string;
  readonly name: string;
  /** Whether owners, and with them setuid bits, are taken from the archive. */
  readonly keepOwners: boolean;
  /** Told of what can't be made here. */
  readonly onSkipped: (message: string) => void;
};

/**
 * Puts an archive that a container made into a local directory. It is hostile: no name in it, and no link that it made
 * before, leads out of the directory. Nothing but directories is merged with what is there. Throws `invalid`.
 */
export function createLocalExtractor(options: LocalExtraction): TarReader {
  const base = realpathSync(options.directory);
  const directories = new Map<string, Moment>();
  let file: { readonly descriptor: number; readonly entry: TarEntry } | undefined;

  /** The components of an entry's name below the directory, with its first one replaced by the name asked for. */
  const componentsOf = (name: string): readonly string[] => {
    const parts = name.split('/').filter((part) => part !== '' && part !== '.');
    if (parts.includes('..')) throw refused(name, 'it climbs out of the directory');
    const own = latin1(options.name);
    const target = own === '.' || own === '/' ? [] : [own];
    const root = latin1(options.root);
    if (root === '.' || root === '/') return [...target, ...parts];
    if (parts[0] !== root) throw refused(name, `it is not part of ${options.root}`);
    return [...target, ...parts.slice(1)];
  };

  /** A path whose directories are real ones below the base. */
  const place = (name: string): Buffer => {
    const components = componentsOf(name);
    let path: Buffer = Buffer.from(base);
    for (const [index, component] of components.entries()) {
      path = Buffer.concat([path, Buffer.from('/'), Buffer.from(component, 'latin1')]);
      if (index === components.length - 1) break;
      const found = lstatSync(path, { throwIfNoEntry: false });
      if (found === undefined) mkdirSync(path, { mode: 0o755 });
      else if (found.isSymbolicLink()) path = followInside(path, name);
      else if (!found.isDirectory()) throw refused(name, `${shown(path.toString('latin1'))} is no directory`);
    }
    return path;
  };

  const followInside = (path: Buffer, name: string): Buffer => {
    let real: string;
    try {
      real = realpathSync(path, { encoding: 'latin1' });
    } catch (error) {
      if (isErrno(error, 'ENOENT') || isErrno(error, 'ELOOP'))
        throw refused(name, 'it leads through a link to nowhere');
      throw error;
    }
    if (real !== latin1(base) && !real.startsWith(`${latin1(base).replace(/\/$/, '')}/`))
      throw refused(name, 'it leads through a link out of the directory');
    return Buffer.from(real, 'latin1');
  };

  const makeRoom = (entry: TarEntry, path: Buffer) => {
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (found === undefined) return;
    const isDirectory = entry.flag === '5';
    // A link to a directory stands for it, where a directory comes: as with cp(1).
    if (isDirectory && found.isDirectory()) return;
    if (isDirectory || found.isDirectory()) {
      const [over, by] = isDirectory ? ['non-directory', 'directory'] : ['directory', 'non-directory'];
      throw new BerthError(
        'invalid',
        `cannot overwrite ${over} ${shown(path.toString('latin1'))} with ${by}`,
      );
    }
    rmSync(path);
  };

  const modeOf = (entry: TarEntry) => entry.mode & (options.keepOwners ? 0o7777 : 0o1777);

  const makeDevice = (entry: TarEntry, path: Buffer) => {
    const [type] = { '3': 'c', '4': 'b' }[entry.flag] ?? 'p';
    const numbers = type === 'p' ? [] : [String(entry.major), String(entry.minor)];
    const made = spawnSync('mknod', [path.toString(), type ?? 'p', ...numbers], { stdio: 'ignore' });
    if (made.status === 0) return true;
    options.onSkipped(`${shown(entry.name)} was left out: devices and pipes can't be made here`);
    return false;
  };

  const make = (entry: TarEntry, path: Buffer): void => {
    switch (entry.flag) {
      case '5':
        if (lstatSync(path, { throwIfNoEntry: false }) === undefined) mkdirSync(path);
        directories.set(path.toString('latin1'), entry.mtime);
        break;
      case '1':
        linkSync(place(entry.target), path);
        return;
      case '2':
        symlinkSync(Buffer.from(entry.target, 'latin1'), path);
        break;
      case '3':
      case '4':
      case '6':
        if (!makeDevice(entry, path)) return;
        break;
      default:
        throw refused(entry.name, `its type '${entry.flag}' is unknown`);
    }
    if (options.keepOwners) lchownSync(path, entry.uid, entry.gid);
    if (entry.flag !== '2') chmodSync(path, modeOf(entry));
    if (entry.flag !== '5') lutimesSync(path, secondsOf(entry.mtime), secondsOf(entry.mtime));
  };

  const reader = createTarReader({
    entry: (entry) => {
      const path = place(entry.name);
      // The directory itself, which stays as it is.
      if (path.equals(Buffer.from(base))) return;
      makeRoom(entry, path);
      if (entry.flag !== '0' && entry.flag !== '7') return make(entry, path);
      const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
      file = { descriptor: openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600), entry };
    },
    data: (piece) => {
      if (file === undefined) return;
      for (let at = 0; at < piece.length; ) at += writeSync(file.descriptor, piece, at);
    },
    end: () => {
      if (file === undefined) return;
      const { descriptor, entry } = file;
      if (options.keepOwners) fchownSync(descriptor, entry.uid, entry.gid);
      fchmodSync(descriptor, modeOf(entry));
      futimesSync(descriptor, secondsOf(entry.mtime), secondsOf(entry.mtime));
      file = undefined;
      closeSync(descriptor);
    },
  });
  return {
    push: reader.push,
    finish: () => {
      reader.finish();
      for (const [path, mtime] of directories)
        lutimesSync(Buffer.from(path, 'latin1'), secondsOf(mtime), secondsOf(mtime));
    },
  };
}

const latin1 = (text: string) => Buffer.from(text).toString('latin1');
const secondsOf = ({ seconds, nanoseconds }: Moment) => seconds + nanoseconds / 1e9;

function refused(name: string, why: string): BerthError {
  return new BerthError('invalid', `the archive holds '${shown(name)}', which is not taken: ${why}`);
}
