import { readFile, writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { execa } from 'execa';
import { type TempRoot, tempRoot } from './temp.ts';

/** A real registry (Debian's docker-registry) on loopback, in a directory of its own. */
export type TestRegistry = AsyncDisposable & {
  /** Host and port as they stand in a reference: `127.0.0.1:40123`. */
  readonly host: string;
  readonly url: string;
  /** PEM of the certificate that it answers with; `tls` only. */
  readonly ca: string | undefined;
  /** `htpasswd` only. */
  readonly credentials: { readonly username: string; readonly password: string } | undefined;
  /** Stops it for good; its port refuses connections from then on. */
  readonly stop: () => Promise<void>;
};

export type RegistryMode = 'plain' | 'tls' | 'htpasswd';

const CREDENTIALS = { username: 'skipper', password: 'open-sesame' };
const LISTENING = /listening on (127\.0\.0\.1:\d+)/;

/** Starts a registry on a free port and waits until it listens. Use it with `await using`. */
export async function startRegistry(
  options: {
    readonly mode?: RegistryMode;
    readonly tls?: boolean;
    /** A free one where it is not given. */
    readonly port?: number;
  } = {},
): Promise<TestRegistry> {
  const { mode = 'plain', tls = mode === 'tls' } = options;
  await using undo = new AsyncDisposableStack();
  const root = undo.use(await tempRoot('registry'));
  const certificate = tls ? await selfSigned(root) : undefined;
  const htpasswd = mode === 'htpasswd' ? await passwordFile(root) : undefined;
  const config = {
    version: '0.1',
    log: { level: 'info', accesslog: { disabled: true } },
    storage: {
      filesystem: { rootdirectory: await root.directory('storage') },
      delete: { enabled: true },
      cache: { blobdescriptor: 'inmemory' },
    },
    http: {
      addr: `127.0.0.1:${options.port ?? 0}`,
      ...(certificate === undefined ? {} : { tls: { certificate: certificate.cert, key: certificate.key } }),
    },
    ...(htpasswd === undefined ? {} : { auth: { htpasswd: { realm: 'berth', path: htpasswd } } }),
  };
  await writeFile(root.join('config.yml'), JSON.stringify(config));
  const program = process.env.BERTH_DOCKER_REGISTRY ?? 'docker-registry';
  const child = execa(program, ['serve', root.join('config.yml')], {
    stdin: 'ignore',
    stdout: 'ignore',
    stderr: 'pipe',
    buffer: false,
    reject: false,
  });
  const stop = async () => {
    child.kill('SIGKILL');
    await child;
  };
  undo.defer(stop);
  const host = await listeningAddress(child);
  const kept = undo.move();
  return {
    host,
    url: `${tls ? 'https' : 'http'}://${host}`,
    ca: certificate === undefined ? undefined : await readFile(certificate.cert, 'utf8'),
    credentials: mode === 'htpasswd' ? CREDENTIALS : undefined,
    stop,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

/** Reads its log until it says where it listens, and goes on reading so that the pipe never fills. */
async function listeningAddress(child: { readonly stderr: NodeJS.ReadableStream }): Promise<string> {
  const lines = createInterface({ input: child.stderr });
  const said: string[] = [];
  return await new Promise((resolve, reject) => {
    lines.on('line', (line) => {
      said.push(line);
      const address = LISTENING.exec(line)?.[1];
      if (address !== undefined) resolve(address);
      if (said.length > 50) said.shift();
    });
    lines.once('close', () => reject(new Error(`docker-registry did not start: ${said.join('\n')}`)));
  });
}

/** A certificate for 127.0.0.1 and localhost, signed by its own key. */
export async function selfSigned(root: TempRoot): Promise<{ readonly cert: string; readonly key: string }> {
  const [cert, key] = [root.join('cert.pem'), root.join('key.pem')];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  await execa('openssl', ['req', '-x509', ...newKey, '-days', '2', ...subject, '-keyout', key, '-out', cert]);
  return { cert, key };
}

async function passwordFile(root: TempRoot): Promise<string> {
  const path = root.join('htpasswd');
  const { stdout } = await execa('htpasswd', ['-Bbn', '-C', '5', CREDENTIALS.username, CREDENTIALS.password]);
  await writeFile(path, `${stdout.trim()}\n`);
  return path;
}
