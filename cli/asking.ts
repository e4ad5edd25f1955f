import { BerthError } from '../engine/api/errors.ts';
import type { Context } from './command.ts';

/**
 * Reads a line from the terminal, after a question on standard error. A secret is not shown as it is typed. Where
 * standard input is no terminal nothing is asked, and the first line that comes is taken. Empty where it ends before. Throws
 * `cancelled` on Ctrl-C.
 */
export async function askLine(
  { stdin, stderr }: Pick<Context, 'stdin' | 'stderr'>,
  question: string,
  options: { readonly secret?: boolean } = {},
): Promise<string> {
  const input = stdin();
  const isTerminal = input.isTTY === true;
  const { createInterface } = await import('node:readline');
  // The line editor's echo of a secret goes nowhere.
  const { Writable } = await import('node:stream');
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const output = options.secret ? nowhere : stderr.stream;
  const reader = createInterface({ input, output, terminal: isTerminal, prompt: question });
  // The terminal echoes nothing any more: who types as soon as the question is there isn't shown.
  if (isTerminal && options.secret) stderr.stream.write(question);
  else if (isTerminal) reader.prompt();
  try {
    return await new Promise<string>((resolve, reject) => {
      reader.once('line', resolve);
      reader.once('SIGINT', () => reject(new BerthError('cancelled', 'cancelled')));
      reader.once('close', () => resolve(''));
    });
  } finally {
    reader.close();
    if (isTerminal && options.secret) stderr.line('');
  }
}
