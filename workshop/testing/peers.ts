import { once } from 'node:events';
import { globSync } from 'node:fs';
import { access, constants, readFile, rmdir, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { basename } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { execa } from 'execa';
import { isErrno } from '../../engine/api/errors.ts';
import { busyboxArchive } from './busybox-archive.ts';
import { type TempRoot, tempRoot } from './temp.ts';

/**
 * Other engines that speak the Docker Engine API, each in namespaces of its own: what it does to mounts,
 * interfaces and nftables stays inside and goes with its last process.
 */
export type Peer = AsyncDisposable & {
  readonly name: 'dockerd' | 'podman';
  /** `unix:///…`, for DOCKER_HOST and `--host`. */
  readonly host: string;
  readonly socketPath: string;
  /** The file of its network namespace; its containers have theirs. */
  readonly networkNamespace: string;
  /** Makes a port of this machine's loopback reachable as 127.0.0.1:port from the peer: for pulls from a registry. */
  readonly reachPort: (port: number) => Promise<void>;
};

/** Registries to speak plain HTTP to, as `host:port`. */
export type PeerOptions = { readonly insecureRegistries?: readonly string[] };

/** Why a peer can't be started here; undefined where it can. For a test's `skip`. */
export async function peerMissing(name: Peer['name']): Promise<string | undefined> {
  const programs = name === 'dockerd' ? ['dockerd', 'containerd', 'runc'] : ['podman', 'conmon', 'runc'];
  for (const program of [...programs, 'unshare', 'setpriv', 'socat']) {
    if ((await findProgram(program)) === undefined) return `${program} is not installed`;
  }
  return process.getuid?.() === 0 ? undefined : 'it takes root';
}

/** Starts Debian's dockerd and waits until it listens; undefined where it isn't installed. */
export async function startDockerd(options: PeerOptions = {}): Promise<Peer | undefined> {
  if ((await peerMissing('dockerd')) !== undefined) return undefined;
  return await startPeer('dockerd', async (root) => {
    await writeFile(root.join('daemon.json'), '{}');
    return {
      ready: /API listen on /,
      program: [
        'dockerd',
        ...['--config-file', root.join('daemon.json'), '--pidfile', root.join('pid')],
        ...['--data-root', root.join('data'), '--exec-root', root.join('exec')],
        ...['--host', `unix://${root.join('api.sock')}`, '--group', 'root'],
        ...['--cgroup-parent', `/${basename(root.path)}`],
        ...(options.insecureRegistries ?? []).map((registry) => `--insecure-registry=${registry}`),
      ],
    };
  });
}

/**
 * Starts podman's API service and waits until it listens; undefined where it isn't installed. Unlike dockerd it
 * speaks TLS to a registry on loopback too, unless that is named in `insecureRegistries` (`127.0.0.1:5000`).
 */
export async function startPodman(options: PeerOptions = {}): Promise<Peer | undefined> {
  if ((await peerMissing('podman')) !== undefined) return undefined;
  return await startPeer('podman', async (root) => {
    await writeFile(
      root.join('containers.conf'),
      [
        '[containers]',
        // Podman raises limits for its containers, which takes CAP_SYS_RESOURCE: these are low enough.
        'default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]',
        '[engine]',
        'cgroup_manager = "cgroupfs"',
        'runtime = "runc"',
        'events_logger = "file"',
        `tmp_dir = "${root.join('tmp')}"`,
        '',
      ].join('\n'),
    );
    await writeFile(
      root.join('storage.conf'),
      `[storage]\ndriver = "overlay"\ngraphroot = "${root.join('data')}"\nrunroot = "${root.join('run')}"\n`,
    );
    const registries = (options.insecureRegistries ?? []).flatMap((location) => [
      '[[registry]]',
      `location = "${location}"`,
      'insecure = true',
    ]);
    await writeFile(
      root.join('registries.conf'),
      ['unqualified-search-registries = ["docker.io"]', ...registries, ''].join('\n'),
    );
    return {
      ready: /API service listening on/,
      environment: {
        CONTAINERS_CONF: root.join('containers.conf'),
        CONTAINERS_STORAGE_CONF: root.join('storage.conf'),
        CONTAINERS_REGISTRIES_CONF: root.join('registries.conf'),
      },
      program: [
        ...['podman', '--log-level', 'info', '--root', root.join('data'), '--runroot', root.join('run')],
        ...['--runtime', 'runc', 'system', 'service', '--time=0', `unix://${root.join('api.sock')}`],
      ],
    };
  });
}

type Launch = {
  readonly program: readonly string[];
  /** The line on stderr that says that it listens. */
  readonly ready: RegExp;
  readonly environment?: Readonly<Record<string, string>>;
};

/**
 * Runs before the peer, inside its namespaces: a loopback that is up, and directories of its own where engines
 * keep what is not told apart by root (netns handles, CNI leases, dockerd's key).
 */
const PREPARE = `
ip link set lo up
for directory in /run /etc/docker /var/lib/cni /var/lib/containers; do
  if [ -d "$directory" ]; then mount -t tmpfs none "$directory"; fi
done
exec "$@"
`;

async function startPeer(name: Peer['name'], configure: (root: TempRoot) => Promise<Launch>): Promise<Peer> {
  await using undo = new AsyncDisposableStack();
  const root = undo.use(await tempRoot(name));
  const launch = await configure(root);
  undo.defer(() => removeCgroups(name === 'dockerd' ? basename(root.path) : 'libpod_parent'));
  // Dies with this process, and everything in the pid namespace with it: shims, conmons, containers.
  const child = execa(
    'setpriv',
    [
      ...['--pdeathsig', 'KILL', 'unshare', '--net', '--mount', '--pid', '--fork', '--mount-proc'],
      ...['--kill-child', 'sh', '-ec', PREPARE, 'sh', ...launch.program],
    ],
    {
      stdin: 'ignore',
      stdout: 'ignore',
      stderr: 'pipe',
      buffer: false,
      reject: false,
      env: { ...launch.environment },
    },
  );
  undo.defer(async () => {
    const init = await onlyChild(child.pid);
    child.kill('SIGKILL');
    await child;
    if (init !== undefined) await ended(init);
  });
  await readyLine(name, child.stderr, launch.ready);
  const init = await onlyChild(child.pid);
  const kept = undo.move();
  const socketPath = root.join('api.sock');
  return {
    name,
    host: `unix://${socketPath}`,
    socketPath,
    networkNamespace: `/proc/${init}/ns/net`,
    reachPort: async (port) => {
      if (init === undefined) throw new Error(`${name} has ended`);
      kept.use(await forwardPort({ port, pid: init, path: root.join(`port-${port}.sock`) }));
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

/** Reads a log until a line matches, and goes on reading so that the pipe never fills. */
async function readyLine(name: string, stderr: Readable, ready: RegExp): Promise<void> {
  const lines = createInterface({ input: stderr });
  const said: string[] = [];
  await new Promise<void>((resolve, reject) => {
    lines.on('line', (line) => {
      said.push(line);
      if (said.length > 20) said.shift();
      if (ready.test(line)) resolve();
    });
    lines.once('close', () => reject(new Error(`${name} did not start: ${said.join('\n')}`)));
  });
}

/** Two socats, joined by a Unix socket: those are reached across network namespaces. */
async function forwardPort(options: {
  readonly port: number;
  readonly pid: number;
  readonly path: string;
}): Promise<AsyncDisposable> {
  const { port, pid, path } = options;
  const settings = {
    stdin: 'ignore',
    stdout: 'ignore',
    stderr: 'pipe',
    buffer: false,
    reject: false,
  } as const;
  const die = ['--pdeathsig', 'KILL'];
  const socat = ['socat', '-d', '-d'];
  const outside = execa(
    'setpriv',
    [...die, ...socat, `UNIX-LISTEN:${path},fork`, `TCP:127.0.0.1:${port}`],
    settings,
  );
  const listen = `TCP-LISTEN:${port},bind=127.0.0.1,reuseaddr,fork`;
  const inside = execa(
    'setpriv',
    [...die, 'nsenter', '--net', '-t', String(pid), ...socat, listen, `UNIX-CONNECT:${path}`],
    settings,
  );
  await Promise.all([outside, inside].map((child) => readyLine('socat', child.stderr, /listening on/)));
  return {
    [Symbol.asyncDispose]: async () => {
      for (const child of [outside, inside]) child.kill('SIGTERM');
      await Promise.all([outside, inside]);
    },
  };
}

async function onlyChild(pid: number | undefined): Promise<number | undefined> {
  try {
    const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
    return Number(children.trim().split(' ')[0]) || undefined;
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
    return undefined;
  }
}

/** Waits until a process that was killed is gone: until then the kernel holds its namespaces and cgroups. */
async function ended(pid: number): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (Date.now() < deadline) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`process ${pid} does not end`);
}

/** Removes a cgroup with all below it from every hierarchy; what is still in use stays. */
async function removeCgroups(name: string): Promise<void> {
  const found = globSync([`/sys/fs/cgroup/${name}`, `/sys/fs/cgroup/*/${name}`], {});
  const below = found.flatMap((top) => [
    top,
    ...globSync(`${top}/**/`).map((path) => path.replace(/\/$/, '')),
  ]);
  for (const path of [...new Set(below)].toSorted((a, b) => b.length - a.length)) {
    try {
      await rmdir(path);
    } catch (error) {
      if (!isErrno(error, 'EBUSY') && !isErrno(error, 'ENOENT') && !isErrno(error, 'ENOTEMPTY')) throw error;
    }
  }
}

async function findProgram(name: string): Promise<string | undefined> {
  for (const directory of [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/sbin']) {
    try {
      await access(`${directory}/${name}`, constants.X_OK);
      return `${directory}/${name}`;
    } catch {
      // Not in this one.
    }
  }
  return undefined;
}

/** Puts a small busybox image with all its applets into an engine, as `busybox:latest`, without a registry. */
export async function loadBusybox(host: string, name?: string): Promise<void> {
  const archive = await busyboxArchive(name);
  const sent = request({
    socketPath: host.replace(/^unix:\/\//, ''),
    method: 'POST',
    path: '/v1.40/images/load?quiet=1',
    headers: { host: 'peer', 'content-type': 'application/x-tar', 'content-length': archive.length },
  });
  sent.end(archive);
  const [answer] = (await once(sent, 'response')) as [Readable & { statusCode: number }];
  const text = (await answer.toArray()).join('');
  if (answer.statusCode !== 200 || text.includes('"error"'))
    throw new Error(`images/load answered ${answer.statusCode}: ${text}`);
}
