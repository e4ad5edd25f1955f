import { Box, Text } from 'ink';
import { memo } from 'react';
import type { Dashboard } from '../dashboard.ts';
import type { Mark } from '../lists/entry.ts';
import { colour, type Theme, toneOf } from './theme.ts';
import { useView } from './use-view.ts';
import { listView } from './views.ts';

/** The list: column titles, and the rows that are in sight. No others are mounted. */
export const List = memo(function List(props: { readonly dashboard: Dashboard; readonly theme: Theme }) {
  const view = useView(props.dashboard, listView);
  return (
    <Box flexDirection="column" height={view.height + 1} flexShrink={0} overflow="hidden">
      <Text bold wrap="truncate">{`    ${view.titles}`}</Text>
      {view.empty === undefined ? null : <Text dimColor wrap="truncate">{`    ${view.empty}`}</Text>}
      {view.rows.map((row) => (
        <Row
          key={row.key}
          mark={row.mark}
          text={row.text}
          selected={row.selected}
          inverse={row.selected && view.hasKeys}
          stale={view.stale}
          theme={props.theme}
        />
      ))}
    </Box>
  );
});

const Row = memo(function Row(props: {
  readonly mark: Mark;
  readonly text: string;
  readonly selected: boolean;
  readonly inverse: boolean;
  readonly stale: boolean;
  readonly theme: Theme;
}) {
  const { mark, text, selected, inverse, stale, theme } = props;
  // A colour on the reversed row would be a block of that colour.
  const tone = inverse ? {} : colour(theme, toneOf(mark));
  return (
    <Text wrap="truncate" inverse={inverse} bold={selected} dimColor={stale}>
      {selected ? `${theme.cursor} ` : '  '}
      <Text {...tone}>{theme.glyphs[mark]}</Text>
      {` ${text}`}
    </Text>
  );
});
