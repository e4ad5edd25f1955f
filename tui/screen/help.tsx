import { Box, Text } from 'ink';
import { memo } from 'react';
import type { Dashboard } from '../dashboard.ts';
import { type Binding, keymap, showKey } from '../input/keymap.ts';
import { clamp } from '../lists/cursor.ts';
import type { Model } from '../model.ts';
import { cut, fit, widthOf } from '../text/cells.ts';
import { useView } from './use-view.ts';

const GROUPS: readonly Binding['group'][] = ['Move', 'Act', 'Find', 'View', 'General'];
const KEYS_WIDTH = 18;
const TWO_COLUMNS = 108;

/** The help, line by line, made from the keymap. */
export function helpLines(columns: number): readonly string[] {
  const blocks = GROUPS.map((group) => [
    group,
    ...keymap
      .filter((binding) => binding.group === group)
      .map(({ keys, help }) => `  ${fit(keys.map(showKey).join(' '), KEYS_WIDTH)} ${help}`),
    '',
  ]);
  if (columns < TWO_COLUMNS) return blocks.flat();
  const left = blocks.filter((_block, index) => index < 3).flat();
  const right = blocks.filter((_block, index) => index >= 3).flat();
  const width = Math.floor(columns / 2) - 2;
  const rows = Math.max(left.length, right.length);
  return Array.from({ length: rows }, (_none, index) =>
    `${fit(left[index] ?? '', width)}  ${right[index] ?? ''}`.trimEnd(),
  );
}

function helpView(model: Model) {
  const { columns, rows } = model.size;
  const height = rows - 2;
  const all = helpLines(columns - 2);
  const wanted = model.prompt?.kind === 'help' ? model.prompt.top : 0;
  const top = clamp(wanted, 0, Math.max(0, all.length - height));
  return { height, lines: all.slice(top, top + height).map((line) => cut(line, columns - 2)) };
}

/** What all keys do, over the whole screen. */
export const Help = memo(function Help({ dashboard }: { readonly dashboard: Dashboard }) {
  const view = useView(dashboard, helpView);
  return (
    <Box flexDirection="column" height={view.height} flexShrink={0} overflow="hidden">
      {view.lines.map((line, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a row of the screen is what stays
        <Text key={index} wrap="truncate" bold={widthOf(line) > 0 && !line.startsWith(' ')}>
          {` ${line}`}
        </Text>
      ))}
    </Box>
  );
});
