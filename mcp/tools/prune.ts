import { BerthError } from '../../engine/api/errors.ts';
import { formatSize } from '../../engine/api/sizes.ts';
import { MCP_LABEL } from '../policy.ts';
import { integer, listOf, record, text } from '../schema.ts';
import { tool } from '../tool.ts';

const hints = { readOnly: false, destructive: true, idempotent: true, openWorld: false } as const;
/** Whatever the operator allows: one call is not to take away all that others made. */
const ours = { label: [`${MCP_LABEL}=true`] };

export const networkPrune = tool({
  name: 'network_prune',
  description: 'Remove the networks that were created here and that nothing uses.',
  hints,
  toolset: 'network',
  fields: {},
  output: record({ removed: listOf(text) }),
  async run(_none, { engine, signal }) {
    const { NetworksDeleted } = await engine.call('networkPrune', { filter: ours }, { signal });
    const removed = NetworksDeleted ?? [];
    return { text: said(removed, 'networks'), data: { removed } };
  },
});

export const volumePrune = tool({
  name: 'volume_prune',
  description: 'Remove the volumes that were created here and that no container has, with all their files.',
  hints,
  toolset: 'volume',
  fields: {},
  output: record({ removed: listOf(text), bytes: integer }),
  async run(_none, { engine, signal }) {
    const prune = (more: object) => engine.call('volumePrune', { filter: { ...ours, ...more } }, { signal });
    // Before API 1.42 all were taken, and a filter that says so is an error: podman's own, 500.
    const pruned = await prune({ all: ['true'] }).catch((error: unknown) => {
      if (error instanceof BerthError && /filter/i.test(error.message)) return prune({});
      throw error;
    });
    const { VolumesDeleted, SpaceReclaimed: bytes } = pruned;
    const removed = VolumesDeleted ?? [];
    return { text: `${said(removed, 'volumes')}; ${formatSize(bytes)} are free`, data: { removed, bytes } };
  },
});

function said(removed: readonly string[], what: string): string {
  return removed.length === 0 ? `no ${what} to remove` : `removed ${removed.join(', ')}`;
}
