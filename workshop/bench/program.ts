import { spawn } from 'node:child_process';

export type Program = readonly [string, ...(readonly string[])];

type Ended = { readonly tookMs: number; readonly printed: string };

/**
 * Runs a program to its end and gives the time that took, in milliseconds, from before the fork to after the last
 * byte of its output. Throws what it said where it fails.
 */
export async function timeProgram(
  program: Program,
  environment?: Readonly<Record<string, string>>,
): Promise<number> {
  return (await toItsEnd(program, environment)).tookMs;
}

/** What a program prints on its standard output. Throws what it said where it fails. */
export async function outputOf(
  program: Program,
  environment?: Readonly<Record<string, string>>,
): Promise<string> {
  return (await toItsEnd(program, environment)).printed;
}

/** The first line that a program prints. */
export async function firstLine(program: Program): Promise<string> {
  return (await outputOf(program)).split('\n')[0]?.trim() ?? '';
}

async function toItsEnd(
  [program, ...args]: Program,
  environment: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const startedMs = performance.now();
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...environment },
  });
  const printed: Buffer[] = [];
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => printed.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString('utf8')).slice(-2_000);
  });
  const code = await new Promise<number | null>((done, fail) => {
    child.once('error', fail);
    child.once('close', done);
  });
  const tookMs = performance.now() - startedMs;
  const text = Buffer.concat(printed).toString('utf8');
  if (code === 0) return { tookMs, printed: text };
  const words = (said + text).trim().slice(-2_000);
  throw new Error(`${[program, ...args].join(' ')} ended with ${code}: ${words}`);
}
