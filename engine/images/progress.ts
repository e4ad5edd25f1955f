import type { ProgressLine } from '../api/wire.ts';

/** The lines of a pull and of a push, word for word as dockerd writes them: clients look for them. */

/** What a layer goes through. */
export type LayerStep =
  | {
      readonly status: 'Downloading' | 'Extracting' | 'Compressing' | 'Pushing' | 'Loading layer';
      readonly current: number;
      readonly total: number;
    }
  | {
      readonly status:
        | 'Pulling fs layer'
        | 'Waiting'
        | 'Verifying Checksum'
        | 'Download complete'
        | 'Pull complete'
        | 'Already exists'
        | 'Preparing'
        | 'Pushed'
        | 'Layer already exists'
        | `Mounted from ${string}`;
    };

/** The line for a layer; `id` is the 12 digits that people are shown. */
export function layerLine(id: string, step: LayerStep): ProgressLine {
  if (!('current' in step)) return { status: step.status, progressDetail: {}, id };
  const { status, current, total } = step;
  return { status, progressDetail: { current, total }, progress: progressBar(current, total), id };
}

/** `[====>    ]  1.2MB/4.5MB`, as moby's pkg/jsonmessage draws it for a wide terminal. */
export function progressBar(current: number, total: number): string {
  if (total <= 0) return humanSize(current).padStart(8);
  const filled = Math.min(50, Math.floor(Math.floor((current / total) * 100) / 2));
  const counts =
    current > total
      ? humanSize(current).padStart(8)
      : `${humanSize(current).padStart(8)}/${humanSize(total)}`;
  return `[${'='.repeat(filled)}>${' '.repeat(50 - filled)}] ${counts}`;
}

/** A size with four significant digits, as go-units' HumanSize writes it. */
function humanSize(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${Number(value.toPrecision(4))}${units[unit]}`;
}

/** Lets a layer's counting lines through ten times a second, and every line that is not one of them. */
export function throttled(emit: (step: LayerStep) => void, intervalMs = 100): (step: LayerStep) => void {
  let lastMs = Number.NEGATIVE_INFINITY;
  return (step) => {
    if ('current' in step && step.current < step.total) {
      const now = performance.now();
      if (now - lastMs < intervalMs) return;
      lastMs = now;
    }
    emit(step);
  };
}
