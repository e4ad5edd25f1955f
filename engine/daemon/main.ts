// First: what others take when they are loaded is small then.
import '../host/heaps.ts';
import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BerthError, isErrno, toBerthError } from '../api/errors.ts';
import { openContainers } from '../containers/containers.ts';
import { openRegistry } from '../distribution/registry.ts';
import { openEvents } from '../events/log.ts';
import { findProgram, runProgram } from '../host/programs.ts';
import { openImageStore } from '../images/store.ts';
import { openNetworks } from '../networks/networks.ts';
import { openRegistries } from '../registry/registries.ts';
import { defaultRegistryLimits } from '../registry/settings.ts';
import { detectCgroups, removeCgroup } from '../runtime/cgroups.ts';
import { openRuntime } from '../runtime/oci.ts';
import { createServer } from '../server/server.ts';
import { openDatabase } from '../state/database.ts';
import { openVolumes } from '../volumes/volumes.ts';
import { type Facts, infoOf, versionOf } from './facts.ts';
import { claimRunDirectory, lockDirectory } from './lock.ts';
import { openEngineLog } from './log.ts';
import { type EngineOptions, engineSuffix, parseOptions } from './options.ts';
import { serveAlways } from './registry.ts';
import { readSettings } from './settings.ts';
import { listenOn } from './socket.ts';

declare const BERTH_VERSION: string | undefined;

/** Composes an engine and serves until it is told to stop. Containers go on without it. */
async function serve(options: EngineOptions): Promise<void> {
  const { root, runDir } = options;
  await mkdir(root, { recursive: true, mode: 0o711 });
  await mkdir(runDir, { recursive: true, mode: 0o755 });
  using _rootLock = lockDirectory(root);
  using _runLock = lockDirectory(runDir);
  claimRunDirectory(runDir, root);
  const log = openEngineLog(join(runDir, 'engine.log'));
  const settings = readSettings(options.settings);
  const database = openDatabase(join(root, 'berth.db'));
  const suffix = engineSuffix(root);
  const cgroups = detectCgroups();
  const cgroupParent = suffix === '' ? '/berth' : `/berth-${suffix}`;
  const conmon = await requireProgram('conmon');
  const runtime = await openRuntime({ stateDir: join(runDir, 'runtime'), runDir, cgroups, cgroupParent });

  const events = openEvents(database);
  const images = await openImageStore({
    root,
    database,
    settings: settings.registries,
    layerKind: settings.layers.kind,
    usersOf: (id) => containers.usersOf(id),
    onPrune: (bytes) =>
      events.record({ type: 'image', action: 'prune', id: '', attributes: { reclaimed: String(bytes) } }),
    onEvent: ({ action, id, name }) => events.record({ type: 'image', action, id, attributes: { name } }),
  });
  const networks = openNetworks(database, {
    bridge: settings.network.bridge ?? (suffix === '' ? 'berth0' : `berth-${suffix}`),
    subnet: settings.network.subnet,
    warn: log.warn,
  });
  const volumes = openVolumes({
    root: join(root, 'volumes'),
    database,
    onEvent: (event) => events.record({ type: 'volume', ...event }),
    warn: log.warn,
  });
  const containers = await openContainers({
    root,
    runDir,
    cgroups,
    cgroupParent,
    images,
    networks,
    volumes,
    runtime,
    conmon,
    database,
    events,
    warn: log.warn,
  });
  await images.recover();
  const registry = openRegistry({ hosted: images.hosted, warn: log.warn });

  const facts: Facts = {
    version: await ownVersion(),
    components: [
      { name: runtime.name, version: runtime.version },
      { name: 'conmon', version: await conmonVersion(conmon) },
      { name: 'node', version: process.versions.node },
    ],
  };
  const id = await engineId(root);
  const server = createServer({
    containers,
    images,
    networks,
    volumes,
    events,
    registry,
    registries: openRegistries({ settings: settings.registries, limits: defaultRegistryLimits }),
    version: () => versionOf(facts),
    info: () =>
      infoOf(facts, {
        id,
        root,
        containers: containers.count(),
        images: images.count(),
        layerKind: images.layerKind,
        cgroups,
        listeners: events.listeners(),
        runtime: runtime.name,
        settings: settings.registries,
      }),
    warn: log.warn,
  });
  await serveAlways(registry, settings.registry, log);
  await listenOn(server, options.socket);
  const pidFile = join(runDir, 'engine.pid');
  await writeFile(pidFile, `${process.pid}\n`);
  log.info(`serving unix://${options.socket} from ${root} with ${runtime.name} ${runtime.version}`);

  await toldToStop();
  log.info('stopping; containers go on');
  server.close();
  server.closeAllConnections();
  containers.close();
  await registry[Symbol.asyncDispose]();
  const { running, paused } = containers.count();
  if (running + paused === 0) {
    await networks.close();
    images.close();
    removeCgroup(cgroupParent);
  }
  await rm(pidFile, { force: true });
  await rm(options.socket, { force: true });
  database.close();
}

function toldToStop(): Promise<void> {
  return new Promise((resolve) => {
    // Kept, not once: the library that runs programs ends a process whose only other listener has gone.
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => resolve());
  });
}

async function requireProgram(name: string): Promise<string> {
  const path = await findProgram(name);
  if (path === undefined)
    throw new BerthError('unavailable', `${name} is not installed`, { hint: `apt-get install ${name}` });
  return path;
}

async function conmonVersion(conmon: string): Promise<string> {
  return /version ([\w.]+)/.exec(await runProgram(conmon, ['--version']))?.[1] ?? 'unknown';
}

/** The version that the bundle was made with; read from package.json when the engine runs from source. */
async function ownVersion(): Promise<string> {
  if (typeof BERTH_VERSION === 'string') return BERTH_VERSION;
  const text = await readFile(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

/** A name for this engine that stays the same: `info` shows it. */
async function engineId(root: string): Promise<string> {
  const path = join(root, 'engine-id');
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
    const id = randomUUID();
    await writeFile(path, `${id}\n`);
    return id;
  }
}

async function main(): Promise<never> {
  try {
    const options = parseOptions(process.argv.slice(2));
    if (process.getuid?.() !== 0) {
      throw new BerthError(
        'forbidden',
        'the engine mounts file systems and makes namespaces: it must run as root',
        {
          hint: 'sudo berth engine start',
        },
      );
    }
    await serve(options);
    process.exit(0);
  } catch (thrown) {
    const error = toBerthError(thrown);
    process.stderr.write(
      `berth engine: ${error.message}${error.hint === undefined ? '' : ` (${error.hint})`}\n`,
    );
    process.exit(1);
  }
}

void main();
