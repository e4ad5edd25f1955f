import { formatSize } from '../../engine/api/sizes.ts';
import type { Volume } from '../../engine/api/wire/volumes.ts';
import { inspectVolumeUsage } from '../../engine/client/volume.ts';
import { CUT_NOTE, type Cutter, fitted, moment, pairs } from '../cut.ts';
import { redactValue } from '../redact.ts';
import { integer, mapOf, optional, record, text, truth } from '../schema.ts';
import { facts } from '../table.ts';
import { reads, tool } from '../tool.ts';
import { volumeField, withHint } from './lookup.ts';

const output = record({
  name: text,
  driver: text,
  created: optional(text),
  bytes: optional(integer),
  containers: optional(integer),
  options: mapOf(text),
  labels: mapOf(text),
  truncated: truth,
});

export const volumeInspect = tool({
  name: 'volume_inspect',
  description: 'Show what a volume takes on the disk and how many containers have it.',
  hints: reads,
  toolset: 'volume',
  fields: { volume: volumeField },
  required: ['volume'],
  output,
  async run({ volume }, { engine, signal }) {
    try {
      const found = await inspectVolumeUsage(engine, volume, { signal });
      return fitted((cutter) => describe(found, cutter), textOf);
    } catch (error) {
      throw withHint(error, 'notFound', 'volume_list shows what there is');
    }
  },
});

function describe(found: Volume, { short, map, truncated }: Cutter) {
  const redacted = (values: Volume['Labels']) =>
    map(Object.entries(values ?? {}).map(([name, value]) => [name, redactValue(name, value)]));
  const { Size = -1, RefCount = -1 } = found.UsageData ?? {};
  return {
    name: short(found.Name),
    driver: found.Driver,
    created: moment(found.CreatedAt),
    // Below zero it is not known: what is mounted is another machine's, or nobody's.
    bytes: Size < 0 ? undefined : Size,
    containers: RefCount < 0 ? undefined : RefCount,
    options: redacted(found.Options),
    labels: redacted(found.Labels),
    truncated: truncated(),
  };
}

function textOf(data: ReturnType<typeof describe>): string {
  return facts([
    ['volume', data.name],
    ['driver', data.driver],
    ['created', data.created],
    ['size', data.bytes === undefined ? undefined : formatSize(data.bytes)],
    ['containers', data.containers],
    ['options', pairs(data.options)],
    ['labels', pairs(data.labels)],
    ['truncated', data.truncated ? CUT_NOTE : undefined],
  ]);
}
