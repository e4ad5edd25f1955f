import { readFile } from 'node:fs/promises';
import { BerthError, toBerthError } from '../api/errors.ts';
import type { Registry } from '../distribution/registry.ts';
import type { EngineLog } from './log.ts';
import type { Settings } from './settings.ts';

/**
 * Serves the registry where the settings say so. What hinders it is said in the log: it must not keep the engine from
 * its containers.
 */
export async function serveAlways(
  registry: Pick<Registry, 'keepServing'>,
  settings: Settings['registry'],
  log: EngineLog,
): Promise<void> {
  if (settings === undefined) return;
  try {
    const url = await registry.keepServing({
      ...plain({ Address: settings.address, Port: settings.port }),
      ...plain({ ReadOnly: settings.readOnly, Insecure: settings.insecure }),
      ...plain({
        Cert: await read('tlsCert', settings.tlsCert),
        Key: await read('tlsKey', settings.tlsKey),
        Passwords: await read('passwords', settings.passwords),
      }),
    });
    log.info(`serving images as a registry at ${url}`);
  } catch (thrown) {
    const { message, hint } = toBerthError(thrown);
    log.warn(`the registry is not served: ${message}${hint === undefined ? '' : ` (${hint})`}`);
  }
}

async function read(name: string, path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new BerthError('invalid', `registry.${name} can't be read: ${(cause as Error).message}`, { cause });
  }
}

/** Without what is undefined. */
function plain<T extends object>(values: T): { readonly [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never;
}
