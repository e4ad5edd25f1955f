import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { BerthError } from '../api/errors.ts';
import { DEFAULT_SETTINGS } from './settings.ts';

/** Where an engine listens and keeps its state. */
export type EngineOptions = {
  /** Path of the Unix socket. */
  readonly socket: string;
  readonly root: string;
  readonly runDir: string;
  readonly settings: string;
};

const DEFAULT_ROOT = '/var/lib/berth';
const DEFAULT_RUN = '/run/berth';

/** Reads the engine's command line: `--host unix:///…`, `--root DIR`, `--run DIR`, `--settings FILE`. Throws `usage`. */
export function parseOptions(argv: readonly string[]): EngineOptions {
  const text = { type: 'string' } as const;
  let values: { host?: string; root?: string; run?: string; settings?: string };
  try {
    ({ values } = parseArgs({
      args: [...argv],
      options: { host: text, root: text, run: text, settings: text },
    }));
  } catch (error) {
    throw new BerthError('usage', error instanceof Error ? error.message : String(error), {
      hint: 'berth engine run [--host unix:///PATH] [--root DIR] [--run DIR] [--settings FILE]',
    });
  }
  const runDir = directory('--run', values.run ?? DEFAULT_RUN);
  return {
    socket: socketOf(values.host ?? `unix://${runDir}/berth.sock`),
    root: directory('--root', values.root ?? DEFAULT_ROOT),
    runDir,
    settings: resolve(values.settings ?? DEFAULT_SETTINGS),
  };
}

/** Overlay's options part paths with commas and colons (mount(2) gives no way round). */
function directory(flag: string, text: string): string {
  const path = resolve(text);
  if (/[,:\\\s]/.test(path)) {
    throw new BerthError(
      'usage',
      `invalid value '${text}' for ${flag}: a path without commas, colons, backslashes or spaces is needed`,
    );
  }
  return path;
}

/** sun_path holds 108 bytes with the null at its end (unix(7)). */
const MAX_SOCKET_PATH = 107;

function socketOf(host: string): string {
  const path = host.startsWith('unix://') ? host.slice('unix://'.length) : host;
  if (!path.startsWith('/')) {
    throw new BerthError('usage', `invalid value '${host}' for --host: the engine listens on a Unix socket`, {
      hint: '--host unix:///run/berth/berth.sock',
    });
  }
  if (Buffer.byteLength(path) > MAX_SOCKET_PATH) {
    throw new BerthError(
      'usage',
      `invalid value '${host}' for --host: a socket's path has at most ${MAX_SOCKET_PATH} bytes`,
    );
  }
  return path;
}

/** What tells this engine's bridge and cgroups from another's: nothing for the usual root. */
export function engineSuffix(root: string): string {
  return root === DEFAULT_ROOT ? '' : createHash('sha256').update(root).digest('hex').slice(0, 8);
}
