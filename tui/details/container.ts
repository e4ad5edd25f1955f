import { formatSize } from '../../engine/api/sizes.ts';
import type { ContainerInspect } from '../../engine/api/wire.ts';
import type { Fact } from './fields.ts';
import type { TabName } from './tabs.ts';

const NEVER = '0001-01-01T00:00:00Z';

/** What a tab tells of a container. Engines leave out what they do not know; so does this. */
export function containerFacts(inspect: ContainerInspect, tab: TabName): readonly Fact[] {
  switch (tab) {
    case 'Summary':
      return summary(inspect);
    case 'Env':
      return splitAssignments(inspect.Config.Env ?? []);
    case 'Mounts':
      return (inspect.Mounts ?? []).map((mount) => [
        mount.Destination,
        `${mount.Type} ${mount.Name ?? mount.Source}${mount.RW ? '' : ' (read-only)'}`,
      ]);
    case 'Labels':
      return Object.entries(inspect.Config.Labels ?? {});
    case 'Logs':
      return [];
  }
}

/** `NAME=value` lines, by name. */
export function splitAssignments(lines: readonly string[]): readonly Fact[] {
  return lines
    .map((line): Fact => {
      const equals = line.indexOf('=');
      return equals < 0 ? [line, ''] : [line.slice(0, equals), line.slice(equals + 1)];
    })
    .toSorted(([a], [b]) => a.localeCompare(b));
}

/** A command as it would be typed. */
export function formatCommand(words: readonly string[]): string {
  return words
    .map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`))
    .join(' ');
}

function summary(inspect: ContainerInspect): readonly Fact[] {
  const { State: state, Config: config, HostConfig: host } = inspect;
  const facts: (Fact | undefined)[] = [
    ['Id', inspect.Id],
    ['Image', config.Image && config.Image !== inspect.Image ? config.Image : inspect.Image],
    ['Command', formatCommand([inspect.Path, ...(inspect.Args ?? [])])],
    ['State', state.Running ? `${state.Status}, pid ${state.Pid}` : state.Status],
    state.Status === 'exited' || state.Status === 'dead' ? ['Exit code', exitCode(inspect)] : undefined,
    fact('Error', state.Error),
    ['Created', moment(inspect.Created)],
    state.StartedAt === NEVER ? undefined : fact('Started', moment(state.StartedAt)),
    state.Running || state.FinishedAt === NEVER ? undefined : fact('Finished', moment(state.FinishedAt)),
    ...networks(inspect),
    fact('Working dir', config.WorkingDir),
    fact('User', config.User),
    fact('Hostname', config.Hostname),
    config.Tty ? ['Terminal', 'yes'] : undefined,
    host.Memory ? ['Memory limit', formatSize(host.Memory)] : undefined,
    host.NanoCpus ? ['CPU limit', String(host.NanoCpus / 1e9)] : undefined,
    host.RestartPolicy?.Name && host.RestartPolicy.Name !== 'no'
      ? ['Restart policy', host.RestartPolicy.Name]
      : undefined,
    inspect.RestartCount > 0 ? ['Restarts', String(inspect.RestartCount)] : undefined,
    host.AutoRemove ? ['Removed', 'when it ends'] : undefined,
  ];
  return facts.filter((line) => line !== undefined);
}

function fact(name: string, value: string | undefined): Fact | undefined {
  return value ? [name, value] : undefined;
}

function exitCode({ State: state }: ContainerInspect): string {
  return state.OOMKilled ? `${state.ExitCode}, killed for want of memory` : String(state.ExitCode);
}

function networks(inspect: ContainerInspect): readonly Fact[] {
  const entries = Object.entries(inspect.NetworkSettings?.Networks ?? {});
  const facts = entries.map(([name, endpoint]): Fact => {
    const addresses = [endpoint.IPAddress, endpoint.GlobalIPv6Address].filter(Boolean).join(', ');
    return addresses === '' ? ['Network', name] : ['IP address', `${addresses} (${name})`];
  });
  if (facts.length > 0) return facts;
  return inspect.NetworkSettings?.IPAddress ? [['IP address', inspect.NetworkSettings.IPAddress]] : [];
}

/** RFC 3339 without the fraction of a second. */
export function moment(text: string): string {
  return text.replace(/\.\d+/, '');
}
