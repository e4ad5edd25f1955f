import { layerStoreContract } from '../../workshop/testing/layer-contract.ts';
import { openLayers } from './store.ts';

layerStoreContract('erofs-loop', (root, limits) => openLayers(root, { kind: 'erofs-loop', limits }));
