import { spawn, spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { env, stdout, version } from 'node:process';
import { fileURLToPath } from 'node:url';
import { styleText } from 'node:util';
import { BerthError } from '../engine/api/errors.ts';
import { formatSize } from '../engine/api/sizes.ts';
import { type Client, createClient, DEFAULT_SOCKET } from '../engine/client/index.ts';
import { installLauncher, LAUNCHER } from './launcher.ts';
import { serveDebian } from './loopback-image.ts';
import { tellSteps } from './steps.ts';

/**
 * `npm run quickstart`, after the set-up: `berth` on the PATH, an engine, and the main job once, from the registry to
 * a process that runs. It is run as root.
 */

const DOCKER_HUB = 'https://registry-1.docker.io/v2/';
const DOCKER_HUB_LIMIT_MS = 5_000;
const CONTAINER = 'quickstart';
/** Written when the engine starts. */
const ENGINE_PID = '/run/berth/engine.pid';
const ENGINE_BUILD = fileURLToPath(new URL('../dist/engine.cjs', import.meta.url));

// The engine meant here is this machine's own, whatever another one is chosen for everyday.
delete env.BERTH_HOST;
delete env.DOCKER_HOST;

const bold = (text: string) => styleText('bold', text, { stream: stdout });
const line = (text = '') => stdout.write(`${text}\n`);
const fact = (name: string, text: string) => line(`${bold(name.padEnd(12))} ${text}`);

/** Why Docker Hub can't be reached; undefined where it answers. */
async function dockerHubTrouble(): Promise<string | undefined> {
  try {
    // Any answer is one: without a token it says 401.
    const answer = await fetch(DOCKER_HUB, { signal: AbortSignal.timeout(DOCKER_HUB_LIMIT_MS) });
    await answer.body?.cancel();
    return undefined;
  } catch (error) {
    const cause = error instanceof Error ? (error.cause ?? error) : error;
    return cause instanceof Error ? cause.message : String(cause);
  }
}

/** Whether both files are there and the first was written before the second. */
function isOlderThan(first: string, second: string): boolean {
  const [one, two] = [first, second].map((path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs);
  return one !== undefined && two !== undefined && one < two;
}

/** One that runs an older build makes room; its containers go on. */
function startEngine(): void {
  if (isOlderThan(ENGINE_PID, ENGINE_BUILD))
    spawnSync(LAUNCHER, ['engine', 'stop'], { stdio: ['ignore', 'ignore', 'inherit'] });
  const started = spawnSync(LAUNCHER, ['engine', 'start'], { encoding: 'utf8' });
  if (started.status !== 0) throw new Error(started.stderr.trim() || 'the engine did not start');
}

/** Runs `top` once in an image, telling the steps as they happen. Gives the exit code of `berth run`. */
async function runTop(client: Client, image: string): Promise<number> {
  const command = ['run', '--rm', '-t', '--name', CONTAINER, image, 'top', '-b', '-n', '1'];
  line(`\n${bold(`$ berth ${command.join(' ')}`)}`);
  await client.act('containerRemove', { id: CONTAINER, force: true }).catch((error: unknown) => {
    if (!(error instanceof BerthError && error.code === 'notFound')) throw error;
  });
  await using steps = await tellSteps({ client, container: CONTAINER, image, say: line });
  const child = spawn(LAUNCHER, command, { stdio: ['ignore', 'pipe', 'inherit'] });
  const screen: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => screen.push(chunk));
  const exitCode = await new Promise<number>((done, fail) => {
    child.once('error', fail);
    child.once('close', (code) => done(code ?? 1));
  });
  if (exitCode === 0) await steps.finish();
  line();
  stdout.write(Buffer.concat(screen).toString('utf8').replaceAll('\r\n', '\n'));
  return exitCode;
}

/** Docker Hub's ubuntu, or where that can't be had a Debian from a registry on loopback. Gives the image's name. */
async function runMainJob(client: Client): Promise<string> {
  const trouble = await dockerHubTrouble();
  if (trouble === undefined) {
    if ((await runTop(client, 'ubuntu')) === 0) return 'ubuntu';
    line('ubuntu from Docker Hub did not run (above); a Debian image from a registry on loopback instead.');
  } else {
    line(`Docker Hub can't be reached (${trouble}); a Debian image from a registry on loopback instead.`);
  }
  await using served = await serveDebian(line);
  fact(
    'registry',
    `${served.reference}, ${formatSize(served.sizeBytes)}, by docker-registry while this runs`,
  );
  const exitCode = await runTop(client, served.reference);
  if (exitCode !== 0) throw new Error(`berth run ended with exit code ${exitCode}; see «berth engine logs»`);
  return served.reference;
}

function tellNext(image: string): void {
  const next = [
    [`berth run --rm -it ${image} bash`, 'a shell in a container'],
    [
      `berth run -d --name web ${image} sleep 1000`,
      'one in the background; then: berth ps, berth logs -f web',
    ],
    ['berth ui', 'the dashboard'],
    ['berth mcp', 'the MCP server on stdio, for an assistant to start'],
    ['berth --help', 'everything else'],
    ['npm test', 'the tests'],
    ['berth engine stop', 'the engine, which runs in the background, ends; containers go on'],
  ] as const;
  line(`\n${bold('Next')}`);
  const prefix = env.SUDO_USER === undefined ? '' : 'sudo ';
  const commands = next.map(([command]) => (command.startsWith('berth') ? `${prefix}${command}` : command));
  const width = Math.max(...commands.map(({ length }) => length));
  for (const [index, [, what]] of next.entries()) line(`  ${commands[index]?.padEnd(width)}  ${what}`);
}

try {
  const startedMs = performance.now();
  installLauncher();
  fact('berth', `${LAUNCHER}, on Node ${version}`);
  startEngine();
  fact('engine', `answers at unix://${DEFAULT_SOCKET}`);
  const client = createClient({ kind: 'unix', path: DEFAULT_SOCKET });
  const image = await runMainJob(client);
  client.close();
  tellNext(image);
  line(`\nDone in ${((performance.now() - startedMs) / 1000).toFixed(1)} s.`);
} catch (error) {
  process.exitCode = 1;
  console.error(`quickstart: ${error instanceof Error ? error.message : error}`);
}
