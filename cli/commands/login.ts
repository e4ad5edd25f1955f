import { BerthError } from '../../engine/api/errors.ts';
import { registryDomain } from '../../engine/api/reference.ts';
import type { Client } from '../../engine/client/client.ts';
import type { Credentials } from '../../engine/client/credentials.ts';
import { askLine } from '../asking.ts';
import { type Context, defineCommand, type Flag } from '../command.ts';

/** A password is one line; what is piped in instead by mistake may be long. */
const MAX_PASSWORD_BYTES = 64 * 1024;

export const command = defineCommand({
  usage: '[FLAGS] [REGISTRY]',
  description:
    "The registry is asked first; what it takes is kept where docker keeps it: with the helper that docker's config.json names for that registry, or else in that file. Without a registry it is Docker Hub. What is not given is asked for on a terminal.",
  flags: {
    username: { type: 'string', summary: 'Name', short: 'u', placeholder: 'NAME' } as Flag<string>,
    password: {
      type: 'string',
      summary: 'Password; others on this machine can see it, --password-stdin is safe',
      short: 'p',
      placeholder: 'PASSWORD',
    } as Flag<string>,
    passwordStdin: { type: 'boolean', summary: 'Read the password from standard input' } as Flag<boolean>,
  },
  takes: [0, 1],
  examples: [
    { line: 'berth login registry.example.com', does: 'Asks for name and password' },
    {
      line: 'berth login -u ada --password-stdin localhost:5000 < password',
      does: 'The password from a file',
    },
  ],
  async run(context, { flags, args: [registry = ''] }) {
    const { stdout, stderr, env } = context;
    checkFlags(flags);
    const domain = registryDomain(registry);
    const { serverOf, storeCredentials, storedCredentials } = await import(
      '../../engine/client/credentials.ts'
    );
    const server = serverOf(domain);
    if (flags.password !== undefined)
      stderr.line('WARNING! Using --password via the CLI is insecure. Use --password-stdin.');
    const stored =
      flags.username === undefined && flags.password === undefined
        ? await storedCredentials(domain, env)
        : undefined;
    const client = await context.connect();
    if (stored !== undefined) {
      stderr.line('Authenticating with existing credentials...');
      try {
        await store(await check(client, context, { server, credentials: stored }));
        return 0;
      } catch (error) {
        if (!(error instanceof BerthError) || error.code !== 'unauthorized' || !context.stdin().isTTY)
          throw error;
        stderr.line('They are not taken any more.');
      }
    }
    const credentials = await readLogin(context, flags, { server, known: stored?.username });
    await store(await check(client, context, { server, credentials }));
    return 0;

    async function store(checked: Credentials): Promise<void> {
      if ((await storeCredentials(domain, checked, env)) === 'file') {
        const { dockerConfigPath } = await import('../../engine/client/docker-config.ts');
        stderr.line(
          `WARNING! The ${checked.identitytoken === undefined ? 'password' : 'token'} is kept unencrypted in ${dockerConfigPath(env)}.`,
        );
      }
      stdout.line('Login Succeeded');
    }
  },
});

type Given = {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly passwordStdin?: boolean | undefined;
};

/** The words are docker's. */
function checkFlags({ username = '', password, passwordStdin }: Given): void {
  if (!passwordStdin) return;
  if (password !== undefined)
    throw new BerthError('usage', '--password and --password-stdin are mutually exclusive');
  if (username === '') throw new BerthError('usage', 'Must provide --username with --password-stdin');
}

async function readLogin(
  context: Context,
  { username: givenName, password: given, passwordStdin }: Given,
  { server, known }: { readonly server: string; readonly known: string | undefined },
): Promise<Credentials> {
  if (passwordStdin) {
    const password = (await readAll(context.stdin())).replace(/\r?\n$/, '');
    return required({ username: givenName, password });
  }
  const asks = givenName === undefined || given === undefined;
  if (asks && !context.stdin().isTTY)
    throw new BerthError('invalid', 'Cannot perform an interactive login from a non TTY device', {
      hint: `berth login -u NAME --password-stdin ${server} < FILE`,
    });
  const suggestion = known === undefined ? '' : ` (${known})`;
  const typed = givenName ?? (await askLine(context, `Username${suggestion}: `)).trim();
  const username = typed === '' ? known : typed;
  const password = given ?? (await askLine(context, 'Password: ', { secret: true }));
  return required({ username, password });
}

function required({ username = '', password = '' }: Credentials | Given): Credentials {
  if (username === '') throw new BerthError('invalid', 'username is empty');
  if (password === '') throw new BerthError('invalid', 'password is empty');
  return { username, password };
}

async function readAll(input: AsyncIterable<Uint8Array | string>): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of input) {
    chunks.push(Buffer.from(chunk));
    length += chunk.length;
    if (length > MAX_PASSWORD_BYTES)
      throw new BerthError('invalid', `the password is longer than ${MAX_PASSWORD_BYTES} bytes`);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Has the engine ask the registry. Gives what is to be kept: a token in the password's place, where there is one. */
async function check(
  client: Client,
  { signals }: Context,
  { server, credentials }: { readonly server: string; readonly credentials: Credentials },
): Promise<Credentials> {
  const body = { ...credentials, serveraddress: server };
  const { IdentityToken: token } = await client.call(
    'registryLogin',
    {},
    { body, signal: signals.cancelled },
  );
  if (!token) return credentials;
  const { username } = credentials;
  return { ...(username === undefined ? {} : { username }), identitytoken: token };
}
