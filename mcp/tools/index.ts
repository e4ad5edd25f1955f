import type { Tool } from '../tool.ts';
import { containerInspect } from './container-inspect.ts';
import { containerList } from './container-list.ts';
import { containerLogs } from './container-logs.ts';
import { containerRemove } from './container-remove.ts';
import { containerRun } from './container-run.ts';
import { imageList } from './image-list.ts';
import { imagePull } from './image-pull.ts';
import { imagePush } from './image-push.ts';
import { imageTag } from './image-tag.ts';
import { networkConnect, networkDisconnect } from './network-connect.ts';
import { networkCreate } from './network-create.ts';
import { networkInspect } from './network-inspect.ts';
import { networkList } from './network-list.ts';
import { networkRemove } from './network-remove.ts';
import { networkPrune, volumePrune } from './prune.ts';
import { volumeCreate } from './volume-create.ts';
import { volumeInspect } from './volume-inspect.ts';
import { volumeList } from './volume-list.ts';
import { volumeRemove } from './volume-remove.ts';

/** Every tool there is, in the order in which clients are told of them. */
export const tools: readonly Tool[] = [
  containerList,
  containerInspect,
  containerLogs,
  containerRun,
  containerRemove,
  imageList,
  imagePull,
  imageTag,
  imagePush,
  networkList,
  networkInspect,
  networkCreate,
  networkConnect,
  networkDisconnect,
  networkRemove,
  networkPrune,
  volumeList,
  volumeInspect,
  volumeCreate,
  volumeRemove,
  volumePrune,
];
