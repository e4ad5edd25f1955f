import { layerStoreContract } from '../../workshop/testing/layer-contract.ts';
import { openLayers } from './store.ts';

layerStoreContract('erofs', (root, limits) => openLayers(root, { kind: 'erofs', limits }));
