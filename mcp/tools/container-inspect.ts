import type { ContainerInspect } from '../../engine/api/wire.ts';
import { CUT_NOTE, type Cutter, fitted, moment, pairs } from '../cut.ts';
import { bareName, shortId } from '../names.ts';
import { redactCommand, redactText, redactValue, redactVariable } from '../redact.ts';
import { integer, listOf, mapOf, number, optional, record, text, truth } from '../schema.ts';
import { facts } from '../table.ts';
import { reads, tool } from '../tool.ts';
import { containerField, lookUp } from './lookup.ts';

const output = record({
  id: text,
  name: text,
  image: text,
  status: text,
  exitCode: optional(integer),
  error: optional(text),
  oomKilled: optional(truth),
  created: text,
  started: optional(text),
  finished: optional(text),
  command: listOf(text),
  workdir: optional(text),
  user: optional(text),
  tty: truth,
  env: listOf(text),
  labels: mapOf(text),
  addresses: mapOf(text),
  ports: listOf(text),
  mounts: listOf(text),
  memory: optional(integer),
  cpus: optional(number),
  restartCount: integer,
  truncated: truth,
});

export const containerInspect = tool({
  name: 'container_inspect',
  description: 'Show state, command, environment, network and limits of a container. Secrets are redacted.',
  hints: reads,
  fields: { container: containerField },
  required: ['container'],
  output,
  async run({ container }, call) {
    const found = await lookUp(container, call);
    return fitted((cutter) => describe(found, cutter), textOf);
  },
});

function describe(found: ContainerInspect, { short, few, map, truncated }: Cutter) {
  const { State: state, Config: config, HostConfig: host, NetworkSettings: network } = found;
  const ran = !state.Running && state.Status !== 'created';
  return {
    id: shortId(found.Id),
    name: short(bareName(found.Name)),
    image: short(config.Image ?? found.Image),
    status: state.Status,
    exitCode: ran ? state.ExitCode : undefined,
    error: state.Error ? short(redactText(state.Error)) : undefined,
    oomKilled: state.OOMKilled ? true : undefined,
    created: moment(found.Created) ?? '',
    started: moment(state.StartedAt),
    finished: ran ? moment(state.FinishedAt) : undefined,
    command: few(redactCommand([found.Path, ...found.Args])),
    workdir: config.WorkingDir ? short(config.WorkingDir) : undefined,
    user: config.User ? short(config.User) : undefined,
    tty: config.Tty ?? false,
    env: few((config.Env ?? []).map(redactVariable)),
    labels: map(Object.entries(config.Labels ?? {}).map(([name, value]) => [name, redactValue(name, value)])),
    addresses: map(
      Object.entries(network.Networks ?? {}).map(([name, endpoint]) => [name, endpoint.IPAddress ?? '']),
    ),
    ports: few(
      Object.entries(network.Ports ?? {}).map(([port, bound]) =>
        [port, ...(bound ?? []).map(({ HostIp, HostPort }) => `${HostIp}:${HostPort}`)].join(' '),
      ),
    ),
    mounts: few(
      (found.Mounts ?? []).map(({ Type, Name, Source, Destination, RW }) =>
        [Type, Name || Source, Destination, RW ? 'rw' : 'ro'].join(' '),
      ),
    ),
    memory: host.Memory || undefined,
    cpus: host.NanoCpus ? host.NanoCpus / 1e9 : undefined,
    restartCount: found.RestartCount,
    truncated: truncated(),
  };
}

function textOf(data: ReturnType<typeof describe>): string {
  const { exitCode, oomKilled, memory } = data;
  const ended = exitCode === undefined ? '' : ` (${exitCode}${oomKilled ? ', out of memory' : ''})`;
  return facts([
    ['container', `${data.name} ${data.id}`],
    ['image', data.image],
    ['status', `${data.status}${ended}`],
    ['error', data.error],
    ['created', data.created],
    ['started', data.started],
    ['finished', data.finished],
    ['command', data.command.map(quoted).join(' ')],
    ['workdir', data.workdir],
    ['user', data.user],
    ['env', data.env.join('\n  ')],
    ['labels', pairs(data.labels)],
    ['addresses', pairs(data.addresses)],
    ['ports', data.ports.join(', ')],
    ['mounts', data.mounts.join(', ')],
    ['memory', memory === undefined ? undefined : `${Math.round(memory / 2 ** 20)} MiB`],
    ['cpus', data.cpus],
    ['restarts', data.restartCount || undefined],
    ['truncated', data.truncated ? CUT_NOTE : undefined],
  ]);
}

function quoted(argument: string): string {
  return /^[\w@%+=:,./[\]-]+$/.test(argument) ? argument : JSON.stringify(argument);
}
