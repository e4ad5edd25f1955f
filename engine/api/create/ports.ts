import { isIP } from 'node:net';
import { boolean, type Field, list, type ValuesOf } from '../fields.ts';
import type { CreateContainerBody, HostConfig } from '../wire.ts';
import { saidOnly, wrongValue } from './pairs.ts';

/** Ports that it listens on, and where on the host they are reached. */
export const portFields = {
  publish: list('Publish a port, at one of the host or any free one', {
    short: 'p',
    placeholder: '[[ADDRESS:][HOST]:]PORT[/PROTOCOL]',
  }),
  publishAll: boolean('Publish every port that is exposed at one of the host that is free', { short: 'P' }),
  expose: list('Note that it listens on a port', { placeholder: 'PORT[/PROTOCOL]' }),
} as const satisfies Record<string, Field>;

/** All this as the Engine API has it. Throws `invalid`. */
export function portsBody(options: ValuesOf<typeof portFields>): {
  readonly config: Partial<CreateContainerBody>;
  readonly host: Partial<HostConfig>;
} {
  const published = (options.publish ?? []).flatMap(readPublished);
  const exposed = [...(options.expose ?? []).flatMap(readExposed), ...published.map(({ port }) => port)];
  const bindings = Object.groupBy(published, ({ port }) => port);
  return {
    config:
      exposed.length === 0 ? {} : { ExposedPorts: Object.fromEntries(exposed.map((port) => [port, {}])) },
    host: saidOnly({
      PortBindings:
        published.length === 0
          ? undefined
          : Object.fromEntries(
              Object.entries(bindings).map(([port, of = []]) => [port, of.map(({ binding }) => binding)]),
            ),
      PublishAllPorts: options.publishAll,
    }),
  };
}

const MAX_PORT = 65535;
const PUBLISHED = '[[ADDRESS:][PORT[-PORT]]:]PORT[-PORT][/tcp|udp|sctp]';

type Published = {
  /** The container's, as `80/tcp`. */
  readonly port: string;
  readonly binding: { readonly HostIp: string; readonly HostPort: string };
};

/**
 * Reads `8080:80`, `127.0.0.1::80/udp`, `[::1]:8000-8002:80-82`, `published=8080,target=80`: as many of the host's
 * ports as of the container's each to each; a range for one port is any of it that is free.
 */
function readPublished(text: string): readonly Published[] {
  const wrong = () => wrongValue('publish', text, PUBLISHED);
  const [, places = '', protocol = 'tcp'] =
    /^(.*?)(?:\/(tcp|udp|sctp))?$/i.exec(text.includes('=') ? shortForm(text) : text) ?? [];
  const match = /^(?:(?:(\[[^\]]*\]|[^:]*):)?([\d-]*):)?([\d-]+)$/.exec(places);
  if (match === null) throw wrong();
  const [, bracketed = '', outside = '', inside = ''] = match;
  const HostIp = bracketed.replace(/^\[(.*)\]$/, '$1');
  if (HostIp !== '' && isIP(HostIp) !== (bracketed.startsWith('[') ? 6 : 4)) throw wrong();
  const anyPort = /^0?$/.test(outside);
  const [ports, hostPorts] = [readRange(inside), anyPort ? undefined : readRange(outside)];
  if (ports === undefined || (!anyPort && hostPorts === undefined)) throw wrong();
  if (hostPorts !== undefined && ports.length > 1 && hostPorts.length !== ports.length) {
    throw wrongValue('publish', text, 'as many ports of the host as of the container');
  }
  return ports.map((port, index) => ({
    port: `${port}/${protocol.toLowerCase()}`,
    binding: { HostIp, HostPort: ports.length > 1 ? String(hostPorts?.[index] ?? '') : outside },
  }));
}

/** docker's words for the same: `published=8080,target=80,protocol=udp`. */
function shortForm(text: string): string {
  const known = ['published', 'target', 'protocol', 'mode'];
  const said = new Map(
    text.split(',').map((part) => {
      const [name = '', value = ''] = part.split('=');
      if (!known.includes(name) || value === '')
        throw wrongValue('publish', text, 'published=PORT,target=PORT,protocol=PROTOCOL');
      return [name, value] as const;
    }),
  );
  return `${said.get('published') ?? ''}:${said.get('target') ?? ''}/${said.get('protocol') ?? 'tcp'}`;
}

/** Reads `80`, `80/udp`, `8000-8010/tcp` as ports, each with its protocol. */
function readExposed(text: string): readonly string[] {
  const match = /^([\d-]+)(?:\/(tcp|udp|sctp))?$/i.exec(text);
  const ports = match && readRange(match[1] ?? '');
  if (!ports) throw wrongValue('expose', text, 'PORT[-PORT][/tcp|udp|sctp]');
  const protocol = (match[2] ?? 'tcp').toLowerCase();
  return ports.map((port) => `${port}/${protocol}`);
}

function readRange(text: string): readonly number[] | undefined {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
  const [first, last] = [Number(match?.[1]), Number(match?.[2] ?? match?.[1])];
  if (!(first >= 1 && last >= first && last <= MAX_PORT)) return undefined;
  return Array.from({ length: last - first + 1 }, (_none, index) => first + index);
}
