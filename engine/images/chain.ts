import { createHash } from 'node:crypto';
import type { Digest } from '../api/digest.ts';

/** The chain ids of an image's layers, lowest first: OCI image spec, config.md, "Layer ChainID". */
export function chainIds(diffIds: readonly Digest[]): readonly Digest[] {
  const chain: Digest[] = [];
  for (const diffId of diffIds) {
    const below = chain.at(-1);
    const hash = createHash('sha256').update(`${below} ${diffId}`).digest('hex');
    chain.push(below === undefined ? diffId : `sha256:${hash}`);
  }
  return chain;
}
