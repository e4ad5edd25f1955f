import { Box, Text } from 'ink';
import { memo } from 'react';
import type { Dashboard } from '../dashboard.ts';
import { colour, type Theme } from './theme.ts';
import { useView } from './use-view.ts';
import { headerView } from './views.ts';

/** The lists there are, and which engine they are of. */
export const Header = memo(function Header(props: { readonly dashboard: Dashboard; readonly theme: Theme }) {
  const view = useView(props.dashboard, headerView);
  return (
    <Box height={1} flexShrink={0} justifyContent="space-between">
      <Text>
        {view.tabs.map(({ text, active }) => (
          <Text key={text} bold={active} inverse={active} dimColor={!active}>
            {text}
          </Text>
        ))}
      </Text>
      <Text {...colour(props.theme, view.lost ? 'bad' : 'plain')} dimColor={!view.lost} bold={view.lost}>
        {`${view.engine} `}
      </Text>
    </Box>
  );
});
