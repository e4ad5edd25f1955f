import { spawn } from 'node:child_process';
import { BerthError } from '../api/errors.ts';
import type { Env } from './docker-config.ts';

/** What a helper keeps. Where it is an identity token, the name is `<token>`. */
export type Kept = { readonly Username: string; readonly Secret: string };

/** Far more than anybody waits for a keychain to be opened by hand. */
const HELPER_TIMEOUT_MS = 60_000;
const MAX_ANSWER_BYTES = 1024 * 1024;

/**
 * The programs `docker-credential-NAME`, which keep secrets elsewhere than in a file; their protocol is that of
 * https://github.com/docker/docker-credential-helpers: a verb as argument, one value on each stream. What is thrown
 * never holds a secret.
 */
export function credentialHelper(name: string, env: Env) {
  const program = `docker-credential-${name}`;
  return {
    /** Undefined where it has none, or does not run: what the file has is then tried. */
    get: async (server: string): Promise<Kept | undefined> => {
      const { code, text } = await run(program, 'get', { input: server, env });
      if (code !== 0) return undefined;
      let value: Partial<Kept> | null;
      try {
        value = JSON.parse(text) as Partial<Kept> | null;
      } catch {
        // The parser's own words would show a piece of the secret.
        throw new BerthError('invalid', `${program} get answered with something that is no JSON`);
      }
      const { Username = '', Secret = '' } = value ?? {};
      if (typeof Username !== 'string' || typeof Secret !== 'string')
        throw new BerthError('invalid', `${program} get answered without a name and a secret`);
      return { Username, Secret };
    },
    /** Throws `unavailable` where it does not keep it. */
    store: async (server: string, kept: Kept): Promise<void> => {
      const input = JSON.stringify({ ServerURL: server, ...kept });
      const { code, text } = await run(program, 'store', { input, env });
      if (code !== 0) throw failed(`${program} does not keep the login`, text, kept.Secret);
    },
    /** False where it had none; they say so as an error, each in words of its own. */
    erase: async (server: string): Promise<boolean> =>
      (await run(program, 'erase', { input: server, env })).code === 0,
  };
}

function failed(what: string, said: string, secret: string): BerthError {
  const words = secret === '' ? said : said.replaceAll(secret, '***');
  const shown = words
    .replace(/[^\x20-\x7e]+/g, ' ')
    .trim()
    .slice(0, 200);
  return new BerthError('unavailable', shown === '' ? what : `${what}: ${shown}`, {
    hint: "see credsStore and credHelpers in docker's config.json",
  });
}

async function run(
  program: string,
  verb: 'get' | 'store' | 'erase',
  { input, env }: { readonly input: string; readonly env: Env },
): Promise<{ readonly code: number | undefined; readonly text: string }> {
  return await new Promise((resolve) => {
    const child = spawn(program, [verb], {
      env: { ...env } as NodeJS.ProcessEnv,
      stdio: ['pipe', 'pipe', 'ignore'],
      timeout: HELPER_TIMEOUT_MS,
    });
    const chunks: Buffer[] = [];
    let length = 0;
    child.stdout.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length > MAX_ANSWER_BYTES) child.kill('SIGKILL');
      else chunks.push(chunk);
    });
    child.on('error', () => resolve({ code: undefined, text: `there is no program ${program}` }));
    child.on('close', (code) =>
      resolve({ code: code ?? undefined, text: Buffer.concat(chunks).toString('utf8') }),
    );
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}
