import type { ViewName } from '../lists/entry.ts';

export type TabName = 'Logs' | 'Summary' | 'Env' | 'Mounts' | 'Labels';

/** The tabs of the details, for each list. */
export const tabs: Readonly<Record<ViewName, readonly TabName[]>> = {
  containers: ['Logs', 'Summary', 'Env', 'Mounts', 'Labels'],
  images: ['Summary', 'Env', 'Labels'],
};
