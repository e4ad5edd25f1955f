import type { Volume } from '../api/wire/volumes.ts';
import type { Client } from './client.ts';

/**
 * All about a volume, with what it takes and how many containers have it. An engine that doesn't tell with the volume is
 * asked for all of them: Docker's tells in `GET /system/df` alone. Throws `notFound`.
 */
export async function inspectVolumeUsage(
  client: Pick<Client, 'call'>,
  name: string,
  options: { readonly signal?: AbortSignal } = {},
): Promise<Volume> {
  const volume = await client.call('volumeInspect', { name, size: true }, options);
  if (volume.UsageData != null) return volume;
  const { Volumes } = await client.call('diskUsage', { type: ['volume'] }, options);
  const UsageData = Volumes?.find(({ Name }) => Name === volume.Name)?.UsageData;
  return UsageData == null ? volume : { ...volume, UsageData };
}
