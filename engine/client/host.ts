import { BerthError } from '../api/errors.ts';

/** Where an engine listens. */
export type Host =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly hostname: string; readonly port: number };

/** The engine that a front end uses, and starts, when nobody says otherwise. */
export const DEFAULT_SOCKET = '/run/berth/berth.sock';
const DEFAULT_TCP_PORT = 2375;

/** Reads `unix:///path`, `/path`, `tcp://host:port` or `http://host:port`. Throws `usage`. */
export function parseHost(text: string): Host {
  const wrong = (why: string) =>
    new BerthError('usage', `invalid host '${text}': ${why}`, {
      hint: 'write unix:///run/berth/berth.sock or tcp://127.0.0.1:2375',
    });
  if (text.startsWith('/')) return { kind: 'unix', path: text };
  if (text.startsWith('unix://')) {
    const path = text.slice('unix://'.length);
    if (!path.startsWith('/')) throw wrong('the path of the socket must be absolute');
    return { kind: 'unix', path };
  }
  const match = /^(?:tcp|http):\/\/(\[[0-9a-fA-F:]+\]|[^/:\s]+)(?::(\d{1,5}))?\/?$/.exec(text);
  if (match?.[1] === undefined) throw wrong('only unix:// and tcp:// are spoken');
  const port = match[2] === undefined ? DEFAULT_TCP_PORT : Number(match[2]);
  if (port < 1 || port > 65535) throw wrong(`${port} is not a port`);
  return { kind: 'tcp', hostname: match[1].replace(/^\[|\]$/g, ''), port };
}

/** The host as a person would type it. */
export function formatHost(host: Host): string {
  if (host.kind === 'unix') return `unix://${host.path}`;
  const name = host.hostname.includes(':') ? `[${host.hostname}]` : host.hostname;
  return `tcp://${name}:${host.port}`;
}

/**
 * The host to talk to: the one given, else `BERTH_HOST`, else `DOCKER_HOST`, else Berth's own socket.
 * `chosen` says whether a person chose it; an engine is started in the background only where nobody did.
 */
export function resolveHost(
  given: string | undefined,
  env: Readonly<Record<string, string | undefined>> = process.env,
): { readonly host: Host; readonly chosen: boolean } {
  const text = given || env.BERTH_HOST || env.DOCKER_HOST;
  if (!text) {
    // A context is another engine. What was meant for it must not happen here.
    if (env.DOCKER_CONTEXT && env.DOCKER_CONTEXT !== 'default')
      throw new BerthError(
        'unsupported',
        `there are no contexts, and DOCKER_CONTEXT is ${env.DOCKER_CONTEXT}`,
        {
          hint: '--host with the engine that is meant, or unset DOCKER_CONTEXT',
        },
      );
    return { host: { kind: 'unix', path: DEFAULT_SOCKET }, chosen: false };
  }
  const host = parseHost(text);
  // Docker's clients take it for DOCKER_HOST: what is meant to be encrypted must not go out as it is.
  if (host.kind === 'tcp' && env.DOCKER_TLS_VERIFY && !given && !env.BERTH_HOST)
    throw new BerthError('unsupported', `no TLS is spoken to ${text}, and DOCKER_TLS_VERIFY asks for it`, {
      hint: 'ssh -L /tmp/engine.sock:/run/berth/berth.sock HOST, and --host unix:///tmp/engine.sock',
    });
  return { host, chosen: true };
}
