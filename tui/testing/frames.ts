import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { isErrno } from '../../engine/api/errors.ts';
import type { TestTerminal } from '../../workshop/testing/terminal.ts';

const FRAMES = resolve(import.meta.dirname, '../../snapshots/tui');

/** The screen without what differs from one run to the next. Cells keep their places. */
export function normalise(screen: string): string {
  return screen
    .replace(/( {2,})\S+ \S+ · unix:\/\/\S+/, '  ENGINE · HOST')
    .replace(/\b[0-9a-f]{12,64}\b/g, (id) => '0'.repeat(id.length))
    .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d)/g, 'TIME')
    .replace(/\b\d+ (years|months) ago/g, 'N years ago')
    .replace(/\b\d+(\.\d+)?MB/g, 'N MB')
    .replace(/pid \d+/g, 'pid N')
    .replace(/\b172\.\d+\.\d+\.\d+/g, 'ADDRESS');
}

/**
 * Waits until the screen is the frame kept in snapshots/tui. With UPDATE_SNAPSHOTS=1 the frame is written
 * instead, once the screen rests: look at it before it is committed.
 */
export async function expectFrame(terminal: TestTerminal, name: string): Promise<void> {
  const path = join(FRAMES, `${name}.txt`);
  if (process.env.UPDATE_SNAPSHOTS === '1') {
    await new Promise((done) => setTimeout(done, 500));
    await mkdir(FRAMES, { recursive: true });
    await writeFile(path, `${normalise(terminal.screen())}\n`);
    return;
  }
  const expected = await readFile(path, 'utf8').catch((error: unknown) => {
    if (!isErrno(error, 'ENOENT')) throw error;
    throw new Error(`no frame ${path}: make it with UPDATE_SNAPSHOTS=1`);
  });
  try {
    await terminal.waitFor((screen) => `${normalise(screen)}\n` === expected);
  } catch {
    assert.equal(`${normalise(terminal.screen())}\n`, expected);
  }
}
