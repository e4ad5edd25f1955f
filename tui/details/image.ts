import { formatSize } from '../../engine/api/sizes.ts';
import type { ImageInspect } from '../../engine/api/wire.ts';
import { formatCommand, moment, splitAssignments } from './container.ts';
import type { Fact } from './fields.ts';
import type { TabName } from './tabs.ts';

/** What a tab tells of an image. */
export function imageFacts(inspect: ImageInspect, tab: TabName): readonly Fact[] {
  const config = inspect.Config ?? {};
  switch (tab) {
    case 'Summary':
      return summary(inspect);
    case 'Env':
      return splitAssignments(config.Env ?? []);
    case 'Labels':
      return Object.entries(config.Labels ?? {});
    default:
      return [];
  }
}

function summary(inspect: ImageInspect): readonly Fact[] {
  const config = inspect.Config ?? {};
  const entrypoint = config.Entrypoint ?? [];
  const layers = inspect.RootFS?.Layers ?? [];
  const ports = Object.keys(config.ExposedPorts ?? {});
  const facts: readonly (Fact | undefined)[] = [
    ['Id', inspect.Id],
    ...(inspect.RepoTags ?? []).map((tag): Fact => ['Tag', tag]),
    ...(inspect.RepoDigests ?? []).map((digest): Fact => ['Digest', digest]),
    ['Created', moment(inspect.Created)],
    ['Platform', [inspect.Os, inspect.Architecture, inspect.Variant].filter(Boolean).join('/')],
    ['Size', formatSize(inspect.Size)],
    ['Layers', String(layers.length)],
    entrypoint.length > 0 ? ['Entrypoint', formatCommand(entrypoint)] : undefined,
    config.Cmd && config.Cmd.length > 0 ? ['Command', formatCommand(config.Cmd)] : undefined,
    config.WorkingDir ? ['Working dir', config.WorkingDir] : undefined,
    config.User ? ['User', config.User] : undefined,
    ports.length > 0 ? ['Exposed ports', ports.join(', ')] : undefined,
  ];
  return facts.filter((line) => line !== undefined);
}
