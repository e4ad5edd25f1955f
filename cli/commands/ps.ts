import { operations } from '../../engine/api/operations.ts';
import { defineCommand, type Flag } from '../command.ts';
import { configuredFormat } from '../configured-format.ts';
import { containerFields, containerLabels, RAW_CONTAINER } from '../container-fields.ts';
import { formatFlag, printListing } from '../listing.ts';

const { all, limit, size, filter } = operations.containerList.query;

export const command = defineCommand({
  usage: '[FLAGS]',
  flags: {
    all,
    last: limit,
    size,
    filter,
    latest: { type: 'boolean', summary: 'Show only the newest one', short: 'l' } as Flag<boolean>,
    quiet: { type: 'boolean', summary: 'Print ids alone', short: 'q' } as Flag<boolean>,
    noTrunc: { type: 'boolean', summary: 'Show ids and commands whole' } as Flag<boolean>,
    format: formatFlag,
  },
  takes: [0, 0],
  examples: [
    { line: 'berth ps -a --filter status=exited', does: 'Those that have ended' },
    { line: "berth ps --format '{{.Names}}: {{.Status}}'", does: 'Only what you want to know' },
    { line: 'berth ps --format json | jq -r .ID', does: 'For a program to read' },
  ],
  async run(context, { flags }) {
    const { quiet, noTrunc = false, latest } = flags;
    const last = flags.last === undefined || flags.last === -1 ? (latest ? 1 : undefined) : flags.last;
    if (quiet && flags.format)
      context.stderr.line('WARNING: Ignoring custom format, because both --format and --quiet are set.');
    const format = flags.format || configuredFormat('psFormat', context.env);
    // Only asked for where it is shown: the engine has to add sizes up.
    const size = flags.size ?? (!quiet && /\.Size\b|\bjson \./.test(format ?? ''));
    const client = await context.connect();
    const rows = await client.call(
      'containerList',
      {
        all: flags.all,
        // -1 is docker's «no limit».
        limit: last !== undefined && last > 0 ? last : undefined,
        size,
        filter: flags.filter,
      },
      { signal: context.signals.cancelled },
    );
    await printListing(context.stdout, {
      rows,
      fields: containerFields({ noTrunc, style: context.stdout.style }),
      goName: '*formatter.ContainerContext',
      labels: containerLabels,
      columns: [
        ...['ID', 'Image', 'Command', 'RunningFor', 'Status', 'Ports', 'Names'],
        ...(flags.size ? ['Size'] : []),
      ],
      only: quiet ? 'ID' : undefined,
      format: quiet ? (format === 'raw' ? 'container_id: {{.ID}}' : undefined) : format,
      raw: size ? `${RAW_CONTAINER}size: {{.Size}}\n` : RAW_CONTAINER,
    });
    return 0;
  },
});
