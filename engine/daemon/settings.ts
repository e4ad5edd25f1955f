import { existsSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import Conf from 'conf';
import { z } from 'zod';
import { BerthError } from '../api/errors.ts';
import { layerKinds } from '../layers/types.ts';

export const DEFAULT_SETTINGS = '/etc/berth/settings.json';

const host = z.string().regex(/^[\w.:[\]-]+$/, 'a host, with its port where it has one');

/** What an administrator can set. Unknown names are refused: a misspelt setting is not one that is silently without effect. */
const shape = z.strictObject({
  registries: z
    .strictObject({
      /** Mirrors of Docker Hub, as URLs; tried in this order before Docker Hub itself. */
      mirrors: z.array(z.url()).default([]),
      /** Hosts that may speak plain HTTP or show a certificate that nobody vouches for. */
      insecureRegistries: z.array(host).default([]),
      /** PEM certificates of the authorities that a host's own certificate is checked against, by host. */
      ca: z.record(host, z.string()).default({}),
    })
    .default({ mirrors: [], insecureRegistries: [], ca: {} }),
  layers: z
    .strictObject({
      /** How layers are kept; `auto` is the best way that this machine has. */
      kind: z.enum(['auto', ...layerKinds]).default('auto'),
    })
    .default({ kind: 'auto' }),
  /** The engine's own registry, where it is to be served always. */
  registry: z
    .strictObject({
      address: z.string().optional(),
      port: z.int().min(0).max(65_535).optional(),
      /** Paths of PEM files. */
      tlsCert: z.string().optional(),
      tlsKey: z.string().optional(),
      /** Path of the file that `berth registry passwd` writes. */
      passwords: z.string().optional(),
      readOnly: z.boolean().optional(),
      /** Leave to listen beyond this machine without TLS and passwords. */
      insecure: z.boolean().optional(),
    })
    .optional(),
  network: z
    .strictObject({
      /** Name of the default bridge's interface. */
      bridge: z
        .string()
        .regex(/^[a-zA-Z][\w-]{0,14}$/, 'at most 15 letters and digits')
        .optional(),
      /** IPv4 network of the default bridge; the first free one where it is not given. */
      subnet: z.string().optional(),
    })
    .default({}),
});

export type Settings = z.infer<typeof shape>;

/** Reads the settings file; a missing one means the defaults. Throws `invalid`, naming the file and the setting. */
export function readSettings(path: string): Settings {
  if (!existsSync(path)) return shape.parse({});
  let stored: unknown;
  try {
    stored = new Conf({ cwd: dirname(path), configName: basename(path, '.json'), clearInvalidConfig: false })
      .store;
  } catch (error) {
    throw new BerthError(
      'invalid',
      `${path} is not JSON: ${error instanceof Error ? error.message : error}`,
      { cause: error },
    );
  }
  const parsed = shape.safeParse(stored);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new BerthError('invalid', `${path}: ${issue?.path.join('.') || 'settings'}: ${issue?.message}`);
}
