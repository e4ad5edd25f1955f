import { Box, Text } from 'ink';
import { Fragment, memo } from 'react';
import type { Dashboard } from '../dashboard.ts';
import { keymap, showKey } from '../input/keymap.ts';
import { layoutScreen } from '../layout.ts';
import type { Model } from '../model.ts';
import { cut, widthOf } from '../text/cells.ts';
import { colour, type Theme } from './theme.ts';
import { useView } from './use-view.ts';

type FooterView =
  | { readonly kind: 'keys'; readonly keys: readonly { readonly key: string; readonly does: string }[] }
  | { readonly kind: 'notice'; readonly bad: boolean; readonly lines: readonly string[] }
  | { readonly kind: 'filter'; readonly text: string }
  | { readonly kind: 'question'; readonly text: string };

const GAP = 2;
const ANSWERS = ' y yes · n no';

function footerView(model: Model): FooterView {
  const { prompt, notice, size } = model;
  if (prompt?.kind === 'filter') {
    const text = model.filters[model.view];
    // The end is what is being typed.
    const room = size.columns - 4;
    return { kind: 'filter', text: widthOf(text) <= room ? text : [...text].slice(-room).join('') };
  }
  if (prompt?.kind === 'confirm') {
    return { kind: 'question', text: cut(prompt.question, size.columns - 2 - ANSWERS.length) };
  }
  const lines = layoutScreen(model).footer;
  if (notice !== undefined && lines !== undefined) {
    return { kind: 'notice', bad: notice.kind === 'error', lines };
  }
  return { kind: 'keys', keys: keysThatFit(size.columns - 2) };
}

function keysThatFit(room: number): readonly { readonly key: string; readonly does: string }[] {
  const out: { key: string; does: string }[] = [];
  let used = 0;
  const shorts = keymap.filter((binding) => binding.short !== undefined);
  // Help and quit stay where there is no room for all.
  const order = [...shorts.slice(-2), ...shorts.slice(0, -2)];
  for (const { keys, short = '' } of order) {
    const key = showKey(keys[0] ?? '');
    const width = widthOf(`${key} ${short}`) + GAP;
    if (used + width > room) continue;
    used += width;
    out.push({ key, does: short });
  }
  return [...out.slice(2), ...out.slice(0, 2)];
}

/** The last line: what keys do, what has happened, or what is asked. */
export const Footer = memo(function Footer(props: { readonly dashboard: Dashboard; readonly theme: Theme }) {
  const view = useView(props.dashboard, footerView);
  return (
    <Box flexDirection="column" flexGrow={1} justifyContent="flex-end" overflow="hidden">
      <Content view={view} theme={props.theme} />
    </Box>
  );
});

function Content({ view, theme }: { readonly view: FooterView; readonly theme: Theme }) {
  switch (view.kind) {
    case 'filter':
      return (
        <Text wrap="truncate">
          <Text bold>{' /'}</Text>
          {view.text}
          <Text inverse> </Text>
        </Text>
      );
    case 'question':
      return (
        <Text wrap="truncate">
          <Text bold {...colour(theme, 'bad')}>{` ${view.text}`}</Text>
          <Text>{ANSWERS}</Text>
        </Text>
      );
    case 'notice':
      return view.lines.map((line) => (
        <Text key={line} wrap="truncate" {...colour(theme, view.bad ? 'bad' : 'plain')} bold={view.bad}>
          {` ${line}`}
        </Text>
      ));
    case 'keys':
      return (
        <Text wrap="truncate">
          {view.keys.map(({ key, does }) => (
            <Fragment key={key}>
              <Text bold>{` ${key}`}</Text>
              <Text dimColor>{` ${does} `}</Text>
            </Fragment>
          ))}
        </Text>
      );
  }
}
