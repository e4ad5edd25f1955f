import { volumeBody } from '../../engine/api/volume-options.ts';
import { MCP_LABEL } from '../policy.ts';
import { record, text } from '../schema.ts';
import { tool } from '../tool.ts';
import { volumeField } from './lookup.ts';

export const volumeCreate = tool({
  name: 'volume_create',
  description: 'Create a volume, whose files outlive containers. The one there is stays as it is.',
  hints: { readOnly: false, destructive: false, idempotent: true, openWorld: false },
  toolset: 'volume',
  // No options of the driver: they reach directories and devices of the host.
  fields: { volume: volumeField },
  required: ['volume'],
  output: record({ name: text }),
  async run({ volume }, { engine, signal }) {
    const body = volumeBody(volume, { label: [`${MCP_LABEL}=true`] });
    const { Name: name } = await engine.call('volumeCreate', {}, { body, signal });
    return { text: `there is ${name}`, data: { name } };
  },
});
