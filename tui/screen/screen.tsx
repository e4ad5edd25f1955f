import { Box, Text, useInput, usePaste } from 'ink';
import type { Dashboard } from '../dashboard.ts';
import { keysOf } from '../input/keys.ts';
import { layoutScreen } from '../layout.ts';
import type { Model } from '../model.ts';
import { Details } from './details.tsx';
import { Footer } from './footer.tsx';
import { Header } from './header.tsx';
import { Help } from './help.tsx';
import { List } from './list.tsx';
import type { Theme } from './theme.ts';
import { useView } from './use-view.ts';
import { tooSmallText } from './views.ts';

function frameOf(model: Model) {
  const layout = layoutScreen(model);
  return {
    ...model.size,
    tooSmall: layout.tooSmall ? tooSmallText(model) : undefined,
    help: model.prompt?.kind === 'help',
    list: layout.list > 0,
    details: layout.details > 0,
  };
}

/** The whole screen, exactly as large as the terminal: one row more, and every frame would be drawn in full. */
export function Screen({ dashboard, theme }: { readonly dashboard: Dashboard; readonly theme: Theme }) {
  const frame = useView(dashboard, frameOf);
  useInput((input, key) => {
    for (const name of keysOf(input, key)) dashboard.press(name);
  });
  usePaste((text) => dashboard.paste(text));
  return (
    <Box flexDirection="column" width={frame.columns} height={frame.rows} overflow="hidden">
      {frame.tooSmall !== undefined ? (
        <Text wrap="truncate">{frame.tooSmall}</Text>
      ) : (
        <>
          <Header dashboard={dashboard} theme={theme} />
          {frame.help ? (
            <Help dashboard={dashboard} />
          ) : (
            <>
              {frame.list ? <List dashboard={dashboard} theme={theme} /> : null}
              {frame.details ? <Details dashboard={dashboard} theme={theme} /> : null}
            </>
          )}
          <Footer dashboard={dashboard} theme={theme} />
        </>
      )}
    </Box>
  );
}
