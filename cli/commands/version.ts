import type { Labels, VersionInfo } from '../../engine/api/wire.ts';
import { formatHost } from '../../engine/client/host.ts';
import { type Context, defineCommand } from '../command.ts';
import { formatter, inspectFlags } from '../inspecting.ts';
import { clientVersion } from '../own-version.ts';
import { printable } from '../printable.ts';

const client = clientVersion();

export const command = defineCommand({
  usage: '[FLAGS]',
  flags: { format: inspectFlags.format },
  takes: [0, 0],
  examples: [{ line: "berth version -f '{{.Server.Version}}'", does: 'The version of the engine' }],
  async run(context, { flags: { format } }) {
    const fill = await formatter(format, { stdout: context.stdout, name: 'version' });
    const { stdout, signals } = context;
    // Told before the engine is asked: the client's version is known even where no engine answers.
    if (format === undefined) describeClient(context);
    const engine = await context.connect();
    const server = withReadableTime(await engine.call('version', {}, { signal: signals.cancelled }));
    const both = { Client: client, Server: server };
    if (fill !== undefined) stdout.line(fill(both, 'system.versionInfo'));
    else if (format === 'json') stdout.line(JSON.stringify(both));
    else describeServer(context, server, formatHost(engine.host));
    return 0;
  },
});

/** As docker words the time that the engine was built at: C's asctime, in the zone that it was told in. */
function withReadableTime(server: VersionInfo): VersionInfo {
  const reworded = (details: Labels | undefined): Labels | undefined => {
    const [, year, month, day, time] =
      /^(\d{4})-(\d\d)-(\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/.exec(
        details?.BuildTime ?? '',
      ) ?? [];
    if (year === undefined) return details;
    const date = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)));
    const [weekday, , name] = date.toUTCString().replace(',', '').split(' ');
    return { ...details, BuildTime: `${weekday} ${name} ${String(Number(day)).padStart(2)} ${time} ${year}` };
  };
  const components = server.Components?.map((component) => {
    const Details = component.Name === 'Engine' ? reworded(component.Details) : component.Details;
    return { ...component, ...(Details === undefined ? {} : { Details }) };
  });
  return { ...server, ...(components === undefined ? {} : { Components: components }) };
}

function describeClient({ stdout }: Context): void {
  stdout.line('Client: Berth');
  row(stdout, ' Version:', client.Version);
  row(stdout, ' Node version:', client.NodeVersion);
  row(stdout, ' OS/Arch:', `${client.Os}/${client.Arch}`);
  row(stdout, ' Context:', client.Context);
}

/** docker's lines: the engine, then its parts with what each tells of itself. */
function describeServer({ stdout }: Context, server: VersionInfo, host: string): void {
  stdout.line('');
  stdout.line(printable(`Server:${server.Platform?.Name ? ` ${server.Platform.Name}` : ''}`));
  row(stdout, ' Host:', host);
  const parts = server.Components ?? [];
  const engine = parts.find(({ Name }) => Name === 'Engine');
  stdout.line(' Engine:');
  row(stdout, '  Version:', server.Version);
  row(stdout, '  API version:', `${server.ApiVersion} (minimum version ${server.MinAPIVersion})`);
  row(stdout, '  Go version:', server.GoVersion);
  row(stdout, '  Git commit:', server.GitCommit);
  row(stdout, '  Built:', engine?.Details?.BuildTime);
  row(stdout, '  OS/Arch:', `${server.Os}/${server.Arch}`);
  row(stdout, '  Kernel:', server.KernelVersion);
  for (const { Name, Version, Details } of parts.filter((part) => part !== engine)) {
    stdout.line(printable(` ${Name}:`));
    row(stdout, '  Version:', Version);
    for (const key of Object.keys(Details ?? {}).toSorted()) row(stdout, `  ${key}:`, Details?.[key]);
  }
}

/** What an engine does not tell gets no line. */
function row(stdout: Context['stdout'], key: string, value: string | undefined): void {
  if (value) stdout.line(printable(`${key.padEnd(19)} ${value}`));
}
