/** What the user says about registries. */
export type RegistrySettings = {
  /** Mirrors of Docker Hub, as URLs; tried in this order before Docker Hub itself. */
  readonly mirrors: readonly string[];
  /** Hosts (with port, where it has one) that may speak plain HTTP or show a certificate nobody vouches for. */
  readonly insecureRegistries: readonly string[];
  /** PEM certificates of the authorities that a host's own certificate is checked against, by host. */
  readonly ca?: Readonly<Record<string, string>> | undefined;
};

export const defaultRegistrySettings: RegistrySettings = { mirrors: [], insecureRegistries: [] };

/** How long to wait for a registry, and how often to try. */
export type RegistryLimits = {
  /** Until a connection stands, TLS included. */
  readonly connectTimeoutMs: number;
  /** Until the head of an answer comes. */
  readonly answerTimeoutMs: number;
  /** Until the head of an answer comes to what was sent: a registry may check all of it first. */
  readonly commitTimeoutMs: number;
  /** Between two pieces of a body. */
  readonly stallTimeoutMs: number;
  /** How often a request is sent anew after a failure that may pass. */
  readonly retries: number;
  /** Before the first retry; doubled for each one after it. */
  readonly backoffMs: number;
  /** As much of a blob is sent in one request; what a connection that breaks may cost. */
  readonly chunkBytes: number;
};

export const defaultRegistryLimits: RegistryLimits = {
  connectTimeoutMs: 15_000,
  answerTimeoutMs: 30_000,
  commitTimeoutMs: 300_000,
  stallTimeoutMs: 30_000,
  retries: 4,
  backoffMs: 300,
  chunkBytes: 64 * 2 ** 20,
};

/** One address at which a repository may be found. */
export type Endpoint = {
  /** Scheme, host and port; a mirror's may have a path. */
  readonly url: string;
  /** `checked`: against the system's authorities or `ca`. `unchecked`: any certificate will do. */
  readonly tls: 'checked' | 'unchecked';
  readonly ca?: string | undefined;
  /** Whether plain HTTP is spoken where TLS is not: as dockerd does with registries that it calls insecure. */
  readonly plainHttp: boolean;
  /** A mirror's failure is no failure: the next one is asked. Credentials are not shown to it. */
  readonly mirror: boolean;
};

const DOCKER_HUB = 'https://registry-1.docker.io';

/** Where to look for a repository, best first: for Docker Hub its mirrors, then itself. */
export function endpointsOf(domain: string, settings: RegistrySettings): readonly Endpoint[] {
  if (domain !== 'docker.io') return [endpointOf(`https://${domain}`, settings, false)];
  const hub = { url: DOCKER_HUB, tls: 'checked', plainHttp: false, mirror: false } as const;
  return [...settings.mirrors.map((mirror) => mirrorEndpoint(mirror, settings)), hub];
}

function mirrorEndpoint(mirror: string, settings: RegistrySettings): Endpoint {
  const url = mirror.replace(/\/+$/, '');
  // A mirror that is written with http:// is meant that way.
  if (url.startsWith('http://')) return { url, tls: 'unchecked', plainHttp: false, mirror: true };
  return endpointOf(url.startsWith('https://') ? url : `https://${url}`, settings, true);
}

/**
 * Hosts on loopback and those that the settings call insecure are asked over TLS with any certificate, or over
 * plain HTTP; giving a host an authority of its own takes that back.
 */
function endpointOf(url: string, settings: RegistrySettings, mirror: boolean): Endpoint {
  const { host } = new URL(url);
  const ca = settings.ca?.[host];
  const insecure = ca === undefined && (isLoopback(host) || settings.insecureRegistries.includes(host));
  return { url, tls: insecure ? 'unchecked' : 'checked', ca, plainHttp: insecure, mirror };
}

/** Whether a host (with or without port) is this machine: localhost, 127.0.0.0/8, ::1. */
export function isLoopback(host: string): boolean {
  const name = host.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
  return name === 'localhost' || name === '::1' || /^127(?:\.\d{1,3}){3}$/.test(name);
}
