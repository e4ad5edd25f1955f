import { createWriteStream, renameSync, statSync } from 'node:fs';
import { isErrno } from '../api/errors.ts';

/** The engine's own log: a file beside its socket, and standard error for as long as somebody reads it. */
export type EngineLog = { info(message: string): void; warn(message: string): void };

/** A log longer than this is put aside at the start. */
const MAX_LOG_BYTES = 10 * 1024 * 1024;

export function openEngineLog(path: string): EngineLog {
  putAside(path);
  const file = createWriteStream(path, { flags: 'a', mode: 0o640 });
  // A full disk must not end the engine.
  file.on('error', () => undefined);
  let heard = true;
  // EPIPE: the front end that started the engine has gone.
  process.stderr.on('error', () => {
    heard = false;
  });
  const write = (level: string, message: string) => {
    const line = `${new Date().toISOString()} ${level} ${message.replaceAll('\n', ' ')}\n`;
    file.write(line);
    if (heard) process.stderr.write(line);
  };
  return { info: (message) => write('info', message), warn: (message) => write('warn', message) };
}

function putAside(path: string): void {
  try {
    if (statSync(path).size > MAX_LOG_BYTES) renameSync(path, `${path}.1`);
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
  }
}
