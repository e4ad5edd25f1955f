import { Box, Text } from 'ink';
import { memo } from 'react';
import type { Dashboard } from '../dashboard.ts';
import { widthOf } from '../text/cells.ts';
import type { Theme } from './theme.ts';
import { useView } from './use-view.ts';
import { detailsView } from './views.ts';

/** What is known of the selected entry: a line of tabs, and what the active one shows. */
export const Details = memo(function Details(props: {
  readonly dashboard: Dashboard;
  readonly theme: Theme;
}) {
  const view = useView(props.dashboard, detailsView);
  const { columns } = props.dashboard.model().size;
  const used = view.tabs.reduce((sum, { text }) => sum + widthOf(text), 0);
  const position = view.position === '' ? '' : ` ${view.position} `;
  const rule = props.theme.line.repeat(Math.max(0, columns - used - widthOf(position) - 2));
  return (
    <Box flexDirection="column" height={view.height + 1} flexShrink={0} overflow="hidden">
      <Text wrap="truncate">
        <Text dimColor>{props.theme.line}</Text>
        {view.tabs.map(({ text, active }) => (
          <Text
            key={text}
            bold={active}
            inverse={active && view.hasKeys}
            underline={active}
            dimColor={!active}
          >
            {text}
          </Text>
        ))}
        <Text dimColor>{rule}</Text>
        <Text>{position}</Text>
        <Text dimColor>{props.theme.line}</Text>
      </Text>
      {view.lines.map((line, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a row of the screen is what stays; lines move through it
        <Line key={index} text={line} dim={view.remark} />
      ))}
    </Box>
  );
});

const Line = memo(function Line({ text, dim }: { readonly text: string; readonly dim: boolean }) {
  return <Text wrap="truncate" dimColor={dim}>{` ${text}`}</Text>;
});
