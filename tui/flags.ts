import { BerthError } from '../engine/api/errors.ts';

export type Flags = { readonly help: boolean; readonly host: string | undefined };

export const usage = `Usage: berth ui [OPTIONS]

Browse containers and images from the keyboard

Options:
  -H, --host HOST   Engine to use: unix:///path or tcp://host:port
      --help        Show this help

Environment:
  BERTH_HOST, DOCKER_HOST   Engine to use where no host is given
  NO_COLOR                  No colours
  BERTH_ICONS=ascii         Plain characters instead of symbols

Press ? in the dashboard for its keys.
`;

/** Reads the arguments of `berth ui`. Throws `usage`. */
export function parseFlags(argv: readonly string[]): Flags {
  let host: string | undefined;
  let help = false;
  const rest = [...argv];
  for (let flag = rest.shift(); flag !== undefined; flag = rest.shift()) {
    const equals = flag.startsWith('--') ? flag.indexOf('=') : -1;
    const name = equals < 0 ? flag : flag.slice(0, equals);
    if (name === '--help' || name === '-h') help = true;
    else if (name === '--host' || name === '-H') {
      host = equals < 0 ? rest.shift() : flag.slice(equals + 1);
      if (!host) throw new BerthError('usage', `${name} needs a host`, { hint: 'berth ui --help' });
    } else {
      throw new BerthError('usage', `unknown argument '${flag}'`, { hint: 'berth ui --help' });
    }
  }
  return { help, host };
}
