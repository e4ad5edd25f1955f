import { spawn } from 'node:child_process';

export type Program = readonly [string, ...(readonly string[])];

/**
 * Runs a program to its end and gives the time that took, in milliseconds, from before the fork to after the last
 * byte of its output. Throws what it said where it fails.
 */
export async function timeProgram(
  [program, ...args]: Program,
  environment: Readonly<Record<string, string>> = {},
): Promise<number> {
  const startedMs = performance.now();
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...environment },
  });
  let said = '';
  const keep = (chunk: Buffer) => {
    said = (said + chunk.toString('utf8')).slice(-2_000);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const code = await new Promise<number | null>((done, fail) => {
    child.once('error', fail);
    child.once('close', done);
  });
  const tookMs = performance.now() - startedMs;
  if (code !== 0) throw new Error(`${[program, ...args].join(' ')} ended with ${code}: ${said.trim()}`);
  return tookMs;
}

/** The first line that a program prints. */
export async function firstLine([program, ...args]: Program): Promise<string> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  await new Promise((done, fail) => {
    child.once('error', fail);
    child.once('close', done);
  });
  return Buffer.concat(chunks).toString('utf8').split('\n')[0]?.trim() ?? '';
}
