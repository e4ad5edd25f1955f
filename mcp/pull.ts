import { formatSize } from '../engine/api/sizes.ts';
import type { ProgressLine } from '../engine/api/wire.ts';
import { pullImage } from '../engine/client/index.ts';
import type { Call } from './tool.ts';

/** What an engine said at the end of a pull, as far as it did. */
export type Pulled = { readonly digest: string | undefined; readonly upToDate: boolean };

type Layer = { readonly current: number; readonly total: number; readonly done: boolean };

const FINISHED = /^(?:Pull complete|Already exists|Download complete)/;

/** Pulls an image and tells the client how far it is. Throws what the engine or the registry answered. */
export async function pullWithProgress(
  options: { readonly image: string; readonly platform?: string | undefined },
  { engine, signal, progress }: Call,
): Promise<Pulled> {
  const layers = new Map<string, Layer>();
  let digest: string | undefined;
  let upToDate = false;
  progress.report(`pulling ${options.image}`);
  for await (const line of pullImage(engine, { ...options, signal })) {
    digest = /^Digest: (sha256:[0-9a-f]{64})/.exec(line.status ?? '')?.[1] ?? digest;
    if (line.status?.startsWith('Status: Image is up to date')) upToDate = true;
    if (noteLayer(layers, line)) report(options.image, layers, progress);
  }
  signal.throwIfAborted();
  return { digest, upToDate };
}

/** Keeps what a line says of a layer; false where it is about something else. */
function noteLayer(layers: Map<string, Layer>, { id, status = '', progressDetail }: ProgressLine): boolean {
  if (id === undefined || /^(?:Pulling from|Digest|Status)/.test(status)) return false;
  const before = layers.get(id) ?? { current: 0, total: 0, done: false };
  // Extraction counts the same bytes from the start again: the download's figures are the ones to show.
  const { current = 0, total = 0 } = status === 'Downloading' ? (progressDetail ?? {}) : {};
  const known = Math.max(before.total, total);
  const done = before.done || /^(?:Pull complete|Already exists)/.test(status);
  layers.set(id, {
    current: FINISHED.test(status) ? known : Math.max(before.current, current),
    total: known,
    done,
  });
  return true;
}

function report(image: string, layers: ReadonlyMap<string, Layer>, progress: Call['progress']): void {
  const all = [...layers.values()];
  const sum = (of: (layer: Layer) => number) => all.reduce((total, layer) => total + of(layer), 0);
  const [current, total] = [sum((layer) => layer.current), sum((layer) => layer.total)];
  const bytes = total === 0 ? '' : `, ${formatSize(current)} of ${formatSize(total)}`;
  const message = `pulling ${image}: ${sum((layer) => Number(layer.done))} of ${all.length} layers${bytes}`;
  progress.report(message, current, total === 0 ? undefined : total);
}
