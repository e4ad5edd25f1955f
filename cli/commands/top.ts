import { defineCommand } from '../command.ts';
import { printable } from '../printable.ts';
import { layOut } from '../table.ts';

/** Docker's table of processes: cells are that wide at least. */
const LEAST_WIDTH = 20;

export const command = defineCommand({
  usage: 'CONTAINER [PS OPTIONS]',
  description: 'Pids are those of the engine’s machine. Without options, those of ps -ef.',
  flags: {},
  takes: [1, Number.POSITIVE_INFINITY],
  argsEndFlags: true,
  examples: [
    { line: 'berth top web', does: 'Its processes' },
    { line: 'berth top web -o pid,rss,cmd', does: 'With columns of your own' },
  ],
  async run(context, { args: [id = '', ...options] }) {
    const client = await context.connect();
    const psArgs = options.length === 0 ? undefined : options.join(' ');
    const { Titles, Processes } = await client.call(
      'containerTop',
      { id, psArgs },
      { signal: context.signals.cancelled },
    );
    const rows = [Titles, ...(Processes ?? [])].map((cells) => cells.map((cell) => printable(cell)));
    const paint = (cell: string, row: number) => (row === 0 ? context.stdout.style.bold(cell) : cell);
    for (const line of await layOut(rows, paint, LEAST_WIDTH)) context.stdout.line(line);
    return 0;
  },
});
