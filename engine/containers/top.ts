import { BerthError } from '../api/errors.ts';
import type { ContainerTop } from '../api/wire/stats.ts';
import { runProgram } from '../host/programs.ts';
import { findCgroup, processesIn } from '../runtime/cgroup-places.ts';
import type { Context } from './context.ts';
import { restarting } from './pause.ts';

export type TopApi = {
  /**
   * The processes of a container, as the host's ps(1) lists them with these options (default `-ef`). Pids are the
   * host's. Throws `conflict` where it does not run, `invalid` for options that ps refuses or that show no pid.
   */
  top(name: string, psArgs: string | undefined): Promise<ContainerTop>;
};

const DEFAULT_OPTIONS = '-ef';

export function containerTop(context: Context): TopApi {
  return {
    async top(name, psArgs) {
      const options = psArgs === undefined || psArgs === '' ? DEFAULT_OPTIONS : psArgs;
      refuseRenamedPid(options);
      const record = context.store.find(name);
      const { life } = record;
      if (life.status === 'restarting') throw restarting(record);
      if (life.status !== 'running') {
        throw new BerthError('conflict', `Container ${record.id} is not running`, {
          hint: `berth start ${record.name}`,
        });
      }
      const places = findCgroup(life.process.pid, record.id, context.cgroups);
      const directory = places?.of('pids');
      const pids = directory === undefined ? [] : processesIn(directory);
      const list = parseProcesses(await listProcesses(options, pids), new Set(pids));
      context.record(record, 'top');
      return list;
    },
  };
}

/** moby's rule: a column that is called PID must be the pid, or processes of others could be passed off. */
function refuseRenamedPid(options: string): void {
  for (const [, column, title] of options.matchAll(/\s+(\S*)=\s*(PID\S*)/g)) {
    if (column !== 'pid')
      throw new BerthError('invalid', `specifying "${column}=${title}" is not allowed`, {
        hint: 'give the column another title',
      });
  }
}

/** Some options can't be joined with a list of pids: then all processes are listed. */
async function listProcesses(options: string, pids: readonly number[]): Promise<string> {
  const args = options.split(' ');
  try {
    return await runProgram('ps', [...args, `-q${pids.join(',')}`]);
  } catch {
    return await allProcesses(args);
  }
}

async function allProcesses(args: readonly string[]): Promise<string> {
  try {
    return await runProgram('ps', args);
  } catch (thrown) {
    const { code, cause } = thrown as BerthError;
    if (code !== 'internal') throw thrown;
    const [words = ''] = String((cause as { readonly stderr?: string } | undefined)?.stderr ?? '').split(
      '\n',
    );
    throw new BerthError('invalid', words.startsWith('ps:') ? words : `ps: ${words}`.trim(), {
      hint: 'give options that ps(1) knows, as in aux or -o pid,cmd',
      cause: thrown,
    });
  }
}

/** ps's table, narrowed to these processes. Cells are split at blanks; the last column takes what is left. */
function parseProcesses(output: string, pids: ReadonlySet<number>): ContainerTop {
  const [head = '', ...lines] = output.split('\n');
  const cellsOf = (line: string) => line.split(/[\t\n\f\r ]+/).filter((cell) => cell !== '');
  const titles = cellsOf(head);
  const column = titles.indexOf('PID');
  if (column < 0)
    throw new BerthError('invalid', "Couldn't find PID field in ps output", {
      hint: 'let the options show the pid, as in -o pid,cmd',
    });
  let within = false;
  const rows: (readonly string[])[] = [];
  for (const line of lines) {
    const cells = cellsOf(line);
    if (cells.length === 0) continue;
    // A line for a thread, under that of its process.
    if (cells[column] !== '-') within = pids.has(Number(cells[column]));
    if (!within) continue;
    const last = titles.length - 1;
    rows.push([...cells.slice(0, last), cells.slice(last).join(' ')]);
  }
  return { Titles: titles, Processes: rows.length === 0 ? null : rows };
}
