import { containerEndpoints } from './containers.ts';
import type { Endpoint } from './endpoint.ts';
import { imageEndpoints } from './images.ts';
import { systemEndpoints } from './system.ts';

export const topics: Readonly<Record<string, readonly Endpoint[]>> = {
  ...containerEndpoints,
  ...imageEndpoints,
  ...systemEndpoints,
};

export const endpoints: readonly Endpoint[] = Object.values(topics).flat();

/** The paths that a text of fields stands for, each parent before what is in it: `['State', 'State.Status']`. */
export function readFields(text: string): readonly string[] {
  const paths: string[] = [];
  const open: string[] = [''];
  let last = '';
  for (const token of text.match(/[^\s{}]+|[{}]/g) ?? []) {
    if (token === '{') open.push(`${last}.`);
    else if (token === '}') open.pop();
    else {
      last = `${open.at(-1)}${token}`;
      // A list and the keys of a map are named by what they hold.
      if (!last.endsWith('*') && !last.endsWith('*[]')) paths.push(last.replace(/\[\]$/, ''));
    }
  }
  return paths;
}
