import type { Context } from './command.ts';

// Not `import`: see engine/client/transport.ts.
const { readFileSync } = process.getBuiltinModule('node:fs');

/** The format of a list that docker's config.json names for where none is typed; undefined where it names none. */
export function configuredFormat(
  key: 'psFormat' | 'imagesFormat' | 'volumesFormat' | 'networksFormat',
  env: Context['env'],
): string | undefined {
  const directory = env.DOCKER_CONFIG || `${env.HOME ?? ''}/.docker`;
  try {
    const config = JSON.parse(readFileSync(`${directory}/config.json`, 'utf8'));
    return typeof config?.[key] === 'string' && config[key] !== '' ? config[key] : undefined;
  } catch {
    // Not there, or not to be read: a list is printed as ever. What needs it, credentials, says so.
    return undefined;
  }
}
