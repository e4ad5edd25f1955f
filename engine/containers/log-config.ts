import type { LogConfig } from '../api/wire/host-config.ts';
import type { ContainerConfig, HostConfig } from '../api/wire.ts';

/** What a container's LogConfig asks of its log. */
export type LogPlan = {
  /** False for the driver `none`: what is written is for those who are attached. */
  readonly readable: boolean;
  /** How long a file may get before it is put aside, in bytes; undefined for as long as it likes. */
  readonly maxBytes: number | undefined;
  /** How many files there may be, with the one that grows. */
  readonly maxFiles: number;
};

type Config = Readonly<Record<string, string>>;

const MEBIBYTE = 2 ** 20;
/** What a driver does where nothing is said: docker's `local` keeps five files of 20 MB, and all else everything. */
const defaults: Readonly<Record<string, LogPlan>> = {
  local: { readable: true, maxBytes: 20e6, maxFiles: 5 },
  none: { readable: false, maxBytes: MEBIBYTE, maxFiles: 1 },
};
const everything: LogPlan = { readable: true, maxBytes: undefined, maxFiles: 1 };

export function logPlan(hostConfig: HostConfig): LogPlan {
  const { Type, Config }: LogConfig = hostConfig.LogConfig ?? {};
  const usual = defaults[Type ?? ''] ?? everything;
  if (!usual.readable) return usual;
  const { 'max-size': size, 'max-file': files } = Config ?? {};
  return {
    readable: true,
    maxBytes: size === undefined ? usual.maxBytes : size === '-1' ? undefined : parseLogSize(size),
    maxFiles: files === undefined ? usual.maxFiles : Number(files),
  };
}

/** Sizes of logs count in powers of 1000, other than those of memory (go-units FromHumanSize). Undefined for none. */
export function parseLogSize(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?) ?([kmgtp]?)i?b?$/i.exec(text);
  if (match === null) return undefined;
  const power = ' kmgtp'.indexOf((match[2] ?? '').toLowerCase() || ' ');
  return Math.floor(Number(match[1]) * 1000 ** power);
}

/** What `logs --details` puts before each line: `a=1,b=x+y`, sorted and URL-encoded; empty where nothing was asked for. */
export function logDetails(config: ContainerConfig, hostConfig: HostConfig): string {
  const options = hostConfig.LogConfig?.Config ?? {};
  const variables = Object.fromEntries(
    (config.Env ?? []).flatMap((entry) => {
      const equals = entry.indexOf('=');
      return equals < 0 ? [] : [[entry.slice(0, equals), entry.slice(equals + 1)]];
    }),
  );
  const chosen = new URLSearchParams([
    ...chosenOf(config.Labels ?? {}, options.labels, options['labels-regex']),
    ...chosenOf(variables, options.env, options['env-regex']),
  ]);
  chosen.sort();
  return chosen.toString().replaceAll('&', ',');
}

function chosenOf(values: Config, names = '', pattern = ''): [string, string][] {
  const listed = names.split(',');
  const expression = pattern === '' ? undefined : new RegExp(pattern);
  return Object.entries(values).filter(([name]) => listed.includes(name) || expression?.test(name) === true);
}
