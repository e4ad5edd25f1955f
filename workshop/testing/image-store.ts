import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ProgressLine } from '../../engine/api/wire.ts';
import { openImageStore } from '../../engine/images/store.ts';
import type { ImageEvent, ImageStore, ImageUser, PullRequest } from '../../engine/images/types.ts';
import { defaultRegistryLimits, defaultRegistrySettings } from '../../engine/registry/settings.ts';
import { openDatabase } from '../../engine/state/database.ts';
import { tempRoot } from './temp.ts';

/** An image store in a directory of its own, with what a test wants to see of it. */
export type TestStore = AsyncDisposable & {
  readonly images: ImageStore;
  readonly root: string;
  readonly events: readonly ImageEvent[];
  /** Which containers use which image; the test fills it. */
  readonly users: Map<string, readonly ImageUser[]>;
  /** Pulls and gives the lines that came. */
  readonly pull: (reference: string, options?: Partial<PullRequest>) => Promise<readonly ProgressLine[]>;
  /** Files, directories and rows of images, layers and blobs: none where there is no image. */
  readonly leftovers: () => readonly string[];
};

type Options = Omit<Parameters<typeof openImageStore>[0], 'root' | 'database' | 'usersOf' | 'onEvent'>;

const TABLES = [
  'images',
  'image_names',
  'image_digests',
  'image_layers',
  'layers',
  'layer_blobs',
  'blob_sources',
];

/** Opens a store that gives up on registries after moments. `root` is where it is, else a directory that goes with it. */
export async function testStore(
  options: Partial<Options> & { readonly root?: string } = {},
): Promise<TestStore> {
  await using undo = new AsyncDisposableStack();
  const directory = options.root === undefined ? undo.use(await tempRoot('images')) : undefined;
  const databaseRoot = undo.use(await tempRoot('database'));
  const root = options.root ?? directory?.path ?? '';
  const database = openDatabase(databaseRoot.join('berth.db'));
  undo.defer(() => database.close());
  const events: ImageEvent[] = [];
  const users = new Map<string, readonly ImageUser[]>();
  const images = openImageStore({
    root,
    database,
    settings: options.settings ?? defaultRegistrySettings,
    usersOf: (id) => users.get(id) ?? [],
    onEvent: (event) => events.push(event),
    registryLimits: options.registryLimits ?? { ...defaultRegistryLimits, backoffMs: 1 },
    ...(options.layerKind === undefined ? {} : { layerKind: options.layerKind }),
    ...(options.settledMs === undefined ? {} : { settledMs: options.settledMs }),
    ...(options.layerLimits === undefined ? {} : { layerLimits: options.layerLimits }),
  });
  await images.recover();
  undo.defer(() => images.close());
  const kept = undo.move();
  return {
    images,
    root,
    events,
    users,
    pull: async (reference, request = {}) => {
      const lines: ProgressLine[] = [];
      const signal = request.signal ?? new AbortController().signal;
      await images.pull({ reference, onProgress: (line) => lines.push(line), ...request, signal });
      return lines;
    },
    leftovers: () => [
      ...['content/blobs/sha256', 'content/ingest', 'layers'].flatMap((name) =>
        readdirSync(join(root, name)).map((entry) => join(name, entry)),
      ),
      ...TABLES.flatMap((table) =>
        database
          .prepare(`SELECT '${table}' AS name FROM ${table}`)
          .all()
          .map(({ name }) => String(name)),
      ),
    ],
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}
