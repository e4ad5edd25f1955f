import { posix } from 'node:path';
import { BerthError } from '../api/errors.ts';
import type { ContainerConfig } from '../api/wire.ts';
import { durationNano, expandWords } from './instruction-words.ts';

type Config = { -readonly [Name in keyof ContainerConfig]: ContainerConfig[Name] };
type Instruction = (config: Config, rest: string) => void;

/**
 * Applies Dockerfile instructions to a config, in their order: those that say what a container is by default, which
 * `commit` and `import` take (docs.docker.com, "docker container commit", `--change`). Throws `invalid`.
 */
export function applyInstructions(config: ContainerConfig, lines: readonly string[]): ContainerConfig {
  const changed: Config = { ...config };
  let setsCommand = false;
  for (const line of lines.flatMap((text) => text.split('\n')).map((text) => text.trim())) {
    if (line === '' || line.startsWith('#')) continue;
    const [, word = '', rest = ''] = /^(\S+)\s*([^]*)$/.exec(line) ?? [];
    const name = word.toLowerCase();
    const apply = Object.hasOwn(instructions, name) ? instructions[name] : undefined;
    if (apply === undefined)
      throw new BerthError('invalid', `${name} is not a valid change command`, {
        hint: `change ${Object.keys(instructions).join(', ').toUpperCase()}`,
      });
    if (rest.trim() === '')
      throw new BerthError('invalid', `${word.toUpperCase()} requires at least one argument: '${line}'`);
    apply(changed, rest.trim());
    if (name === 'cmd') setsCommand = true;
    // Its arguments were another program's.
    if (name === 'entrypoint' && !setsCommand) changed.Cmd = null;
  }
  return changed;
}

const instructions: Readonly<Record<string, Instruction>> = {
  cmd: (config, rest) => {
    config.Cmd = commandOf(rest);
  },
  entrypoint: (config, rest) => {
    config.Entrypoint = commandOf(rest);
  },
  env: (config, rest) => {
    for (const [name, value] of pairsOf('ENV', config, rest)) {
      const others = (config.Env ?? []).filter((entry) => entry.split('=', 1)[0] !== name);
      config.Env = [...others, `${name}=${value}`];
    }
  },
  label: (config, rest) => {
    config.Labels = { ...config.Labels, ...Object.fromEntries(pairsOf('LABEL', config, rest)) };
  },
  expose: (config, rest) => {
    const ports = expandWords(rest, config.Env ?? []).flatMap(portsOf);
    config.ExposedPorts = { ...config.ExposedPorts, ...Object.fromEntries(ports.map((port) => [port, {}])) };
  },
  volume: (config, rest) => {
    const paths = listOf(rest) ?? expandWords(rest, config.Env ?? []);
    if (paths.some((path) => path === ''))
      throw new BerthError('invalid', 'VOLUME specified can not be an empty string');
    config.Volumes = { ...config.Volumes, ...Object.fromEntries(paths.map((path) => [path, {}])) };
  },
  user: (config, rest) => {
    config.User = onlyWord('USER', config, rest);
  },
  workdir: (config, rest) => {
    const path = onlyWord('WORKDIR', config, rest);
    const whole = path.startsWith('/') ? path : `${config.WorkingDir || '/'}/${path}`;
    config.WorkingDir = posix.normalize(whole).replace(/(.)\/$/, '$1');
  },
  stopsignal: (config, rest) => {
    config.StopSignal = onlyWord('STOPSIGNAL', config, rest);
  },
  onbuild: (config, rest) => {
    const [word = ''] = rest.split(/\s/, 1);
    if (/^(onbuild|from|maintainer)$/i.test(word))
      throw new BerthError('invalid', `${word.toUpperCase()} isn't allowed as an ONBUILD trigger`);
    config.OnBuild = [...(config.OnBuild ?? []), rest];
  },
  healthcheck: (config, rest) => {
    config.Healthcheck = healthcheckOf(rest);
  },
};

/** A list of words in JSON, or a line for the shell. */
function commandOf(rest: string): readonly string[] {
  return listOf(rest) ?? ['/bin/sh', '-c', rest];
}

function listOf(rest: string): readonly string[] | undefined {
  if (!rest.startsWith('[')) return undefined;
  try {
    const parsed: unknown = JSON.parse(rest);
    if (Array.isArray(parsed) && parsed.every((word) => typeof word === 'string')) return parsed;
  } catch {
    // Not JSON: docker takes it for a shell's line.
  }
  return undefined;
}

/** `NAME=VALUE …`, or the old form of one `NAME VALUE`. */
function pairsOf(what: string, config: Config, rest: string): readonly (readonly [string, string])[] {
  const env = config.Env ?? [];
  if (!/^[^\s=]+=/.test(rest)) {
    const [, name = '', value] = /^(\S+)\s+([^]*)$/.exec(rest) ?? [];
    if (value === undefined) throw new BerthError('invalid', `${what} must have two arguments: '${rest}'`);
    return [
      [
        name,
        expandWords(
          value.replaceAll(/\s/g, (space) => `\\${space}`),
          env,
        ).join(''),
      ],
    ];
  }
  return expandWords(rest, env).map((word) => {
    const equals = word.indexOf('=');
    if (equals < 1)
      throw new BerthError(
        'invalid',
        `Syntax error - can't find = in "${word}". Must be of the form: name=value`,
      );
    return [word.slice(0, equals), word.slice(equals + 1)];
  });
}

function onlyWord(what: string, config: Config, rest: string): string {
  const words = expandWords(rest, config.Env ?? []);
  if (words.length === 1 && words[0] !== undefined && words[0] !== '') return words[0];
  throw new BerthError('invalid', `${what} requires exactly one argument: '${rest}'`);
}

/** `80`, `80/udp`, `8000-8005`. */
function portsOf(text: string): readonly string[] {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/i.exec(text);
  const [first, last] = [Number(match?.[1]), Number(match?.[2] ?? match?.[1])];
  if (match === null || first < 1 || last < first || last > 65535)
    throw new BerthError('invalid', `invalid containerPort: ${text}`);
  const protocol = (match[3] ?? 'tcp').toLowerCase();
  return Array.from({ length: last - first + 1 }, (_, index) => `${first + index}/${protocol}`);
}

const healthFields: Readonly<Record<string, 'Interval' | 'Timeout' | 'StartPeriod' | 'StartInterval'>> = {
  interval: 'Interval',
  timeout: 'Timeout',
  'start-period': 'StartPeriod',
  'start-interval': 'StartInterval',
};

function healthcheckOf(rest: string): NonNullable<ContainerConfig['Healthcheck']> {
  const fields: Record<string, number> = {};
  let left = rest;
  for (
    let flag = /^--([a-z-]+)=(\S+)\s*/.exec(left);
    flag !== null;
    flag = /^--([a-z-]+)=(\S+)\s*/.exec(left)
  ) {
    const [whole, name = '', value = ''] = flag;
    const field = healthFields[name];
    if (field !== undefined) fields[field] = durationNano(name, value);
    else if (name === 'retries' && /^\d+$/.test(value)) fields.Retries = Number(value);
    else throw new BerthError('invalid', `HEALTHCHECK: unknown or malformed flag --${name}=${value}`);
    left = left.slice(whole.length);
  }
  const [, kind = '', command = ''] = /^(\S+)\s*([^]*)$/.exec(left) ?? [];
  if (kind.toUpperCase() === 'NONE' && command === '') return { Test: ['NONE'] };
  if (kind.toUpperCase() !== 'CMD' || command === '')
    throw new BerthError('invalid', `Unknown type "${kind}" in HEALTHCHECK (try CMD)`);
  const words = listOf(command);
  return { Test: words === undefined ? ['CMD-SHELL', command] : ['CMD', ...words], ...fields };
}
