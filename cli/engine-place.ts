import { dirname } from 'node:path';
import { BerthError } from '../engine/api/errors.ts';
import { DEFAULT_SOCKET, parseHost } from '../engine/client/host.ts';
import { launchLine } from '../engine/client/launch.ts';

/** The command line that starts an engine; `flags` are those of `berth engine run`. */
export function engineLine(programs: URL, flags: readonly string[] = []): readonly string[] {
  return [...launchLine(new URL('berth.js', programs).href), ...flags];
}

/** Where an engine of ours is to be found: its socket, and the folder of its pid file and its log. */
export type EnginePlace = { readonly socket: string; readonly run: string };

/**
 * Where the engine that `berth engine …` means lives. Unlike other commands it does not look at DOCKER_HOST: an
 * engine found there is somebody else's. Throws `usage` for a host that is not a socket.
 */
export function enginePlace(
  flags: { readonly host?: string | undefined; readonly run?: string | undefined },
  env: Readonly<Record<string, string | undefined>>,
): EnginePlace {
  const text = flags.host || env.BERTH_HOST;
  const host = text ? parseHost(text) : ({ kind: 'unix', path: DEFAULT_SOCKET } as const);
  if (host.kind !== 'unix')
    throw new BerthError('usage', `an engine is started and stopped on its own machine, not at ${text}`, {
      hint: '--host unix:///run/berth/berth.sock',
    });
  return { socket: host.path, run: flags.run ?? dirname(host.path) };
}
