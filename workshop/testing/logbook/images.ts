import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { debianImage } from '../debian.ts';
import { type PackagesOptions, packagesLayer } from '../debian-packages.ts';
import { layerOf, pushImage } from '../images.ts';
import type { TestRegistry } from '../registry.ts';

/** The directory of the application: its compose file, and the proxy's configuration beside it. */
export const LOGBOOK = import.meta.dirname;

const POSTGRES = 100;

type Part = PackagesOptions & {
  /** A program of ours at `/usr/local/bin/<name>`. */
  readonly program?: string;
  readonly config: object;
};

const parts: Readonly<Record<string, Part>> = {
  database: {
    packages: ['postgresql'],
    // Compiling of queries, Debian's own tools around clusters, locales: none is loaded as it is started here.
    without:
      /^(libllvm|libz3|libperl|perl|libjson-perl|libgdbm|locales|libc-l10n|postgresql-(client-)?common|ucf|ssl-cert)/,
    users: { postgres: POSTGRES },
    program: 'database.sh',
    config: {
      User: 'postgres',
      Cmd: ['database.sh'],
      // Postgres waits at SIGTERM until its clients have gone.
      StopSignal: 'SIGINT',
      Volumes: { '/var/lib/postgresql/data': {} },
      ExposedPorts: { '5432/tcp': {} },
    },
  },
  app: {
    packages: ['python3-psycopg2'],
    without: /^(media-types|libsqlite3|libnsl|libtirpc)/,
    program: 'app.py',
    config: { Cmd: ['app.py'], ExposedPorts: { '8000/tcp': {} } },
  },
  proxy: {
    packages: ['nginx-light'],
    without: /^(iproute2|libbpf|libelf|libbsd|libmnl|libtirpc|libxtables|libcap2-bin)/,
    config: { Cmd: ['nginx'], StopSignal: 'SIGQUIT', ExposedPorts: { '80/tcp': {} } },
  },
};

/** Pushes the three images of the application, `logbook/database`, `logbook/app` and `logbook/proxy`. */
export async function pushLogbook(registry: TestRegistry): Promise<void> {
  const debian = await debianImage();
  for (const [name, part] of Object.entries(parts)) {
    const layers = [...debian.layers, await packagesLayer(debian, part)];
    if (part.program !== undefined) {
      const content = await readFile(join(LOGBOOK, part.program));
      const entries = [{ name: `usr/local/bin/${part.program}`, mode: 0o755, content }];
      layers.push(layerOf(entries));
    }
    if (name === 'database')
      layers.push(
        layerOf([
          { name: 'var/lib/postgresql/data/', type: 'directory', mode: 0o700, uid: POSTGRES, gid: POSTGRES },
        ]),
      );
    await pushImage({
      registry,
      name: `logbook/${name}`,
      layers,
      config: { ...debian.config, ...part.config },
    });
  }
}
