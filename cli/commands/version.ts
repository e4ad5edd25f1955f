import type { VersionInfo } from '../../engine/api/wire.ts';
import { formatHost } from '../../engine/client/host.ts';
import { type Context, defineCommand } from '../command.ts';
import { inspectFlags } from '../inspecting.ts';
import { ownVersion } from '../own-version.ts';
import { printable } from '../printable.ts';
import { fillTemplate, parseTemplate } from '../template.ts';

const client = {
  Version: ownVersion,
  NodeVersion: process.versions.node,
  Os: process.platform,
  Arch: process.arch,
};

export const command = defineCommand({
  usage: '[FLAGS]',
  flags: { format: inspectFlags.format },
  takes: [0, 0],
  examples: [{ line: "berth version -f '{{.Server.Version}}'", does: 'The version of the engine' }],
  async run(context, { flags: { format } }) {
    const template = format === undefined || format === 'json' ? undefined : parseTemplate(format);
    const { stdout, signals } = context;
    // Told before the engine is asked: the client's version is known even where no engine answers.
    if (format === undefined) describeClient(context);
    const engine = await context.connect();
    const server = await engine.call('version', {}, { signal: signals.cancelled });
    const both = { Client: client, Server: server };
    if (template !== undefined) stdout.line(fillTemplate(template, both));
    else if (format === 'json') stdout.line(JSON.stringify(both));
    else describeServer(context, server, formatHost(engine.host));
    return 0;
  },
});

function describeClient({ stdout }: Context): void {
  stdout.line('Client: Berth');
  row(stdout, 'Version', client.Version);
  row(stdout, 'Node', client.NodeVersion);
  row(stdout, 'OS/Arch', `${client.Os}/${client.Arch}`);
}

function describeServer({ stdout }: Context, server: VersionInfo, host: string): void {
  stdout.line('');
  stdout.line(printable(`Server: ${server.Platform?.Name || server.Components?.[0]?.Name || 'Engine'}`));
  row(stdout, 'Host', host);
  row(stdout, 'Version', server.Version);
  row(stdout, 'API version', `${server.ApiVersion} (minimum version ${server.MinAPIVersion})`);
  row(stdout, 'OS/Arch', `${server.Os}/${server.Arch}`);
  row(stdout, 'Kernel', server.KernelVersion);
  for (const { Name, Version } of server.Components ?? []) if (Name !== 'Engine') row(stdout, Name, Version);
}

function row(stdout: Context['stdout'], key: string, value: string): void {
  stdout.line(printable(` ${`${key}:`.padEnd(16)} ${value}`));
}
