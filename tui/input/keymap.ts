import type { KeyName } from './keys.ts';

export type ActionName =
  | 'down'
  | 'up'
  | 'pageDown'
  | 'pageUp'
  | 'halfDown'
  | 'halfUp'
  | 'first'
  | 'last'
  | 'showContainers'
  | 'showImages'
  | 'nextView'
  | 'nextTab'
  | 'previousTab'
  | 'showLogs'
  | 'showSummary'
  | 'enterDetails'
  | 'back'
  | 'zoom'
  | 'unzoom'
  | 'filter'
  | 'start'
  | 'stop'
  | 'restart'
  | 'remove'
  | 'toggleStopped'
  | 'follow'
  | 'help'
  | 'quit';

export type Binding = {
  readonly keys: readonly KeyName[];
  readonly action: ActionName;
  readonly help: string;
  readonly group: 'Move' | 'Find' | 'Act' | 'View' | 'General';
  /** A word or two for the line at the bottom of the screen; the important ones are there. */
  readonly short?: string;
};

/**
 * What keys do. The help and the line at the bottom are made from it, so they can't lie. Ctrl-d and Ctrl-k
 * never destroy anything: fingers that know other programs would.
 */
export const keymap: readonly Binding[] = [
  { keys: ['j', 'down'], action: 'down', help: 'down', group: 'Move' },
  { keys: ['k', 'up'], action: 'up', help: 'up', group: 'Move' },
  { keys: ['ctrl-d'], action: 'halfDown', help: 'half a page down', group: 'Move' },
  { keys: ['ctrl-u'], action: 'halfUp', help: 'half a page up', group: 'Move' },
  { keys: ['pagedown', 'ctrl-f', ' '], action: 'pageDown', help: 'a page down', group: 'Move' },
  { keys: ['pageup', 'ctrl-b'], action: 'pageUp', help: 'a page up', group: 'Move' },
  { keys: ['g', 'home'], action: 'first', help: 'to the first', group: 'Move' },
  { keys: ['G', 'end'], action: 'last', help: 'to the last', group: 'Move' },

  { keys: ['S'], action: 'start', help: 'start the container', group: 'Act', short: 'start' },
  { keys: ['s'], action: 'stop', help: 'stop the container', group: 'Act', short: 'stop' },
  { keys: ['r'], action: 'restart', help: 'restart the container', group: 'Act', short: 'restart' },
  { keys: ['d'], action: 'remove', help: 'remove the container or image', group: 'Act', short: 'remove' },

  { keys: ['/'], action: 'filter', help: 'filter: words, !word for without', group: 'Find', short: 'filter' },
  { keys: ['e'], action: 'toggleStopped', help: 'hide or show stopped ones', group: 'Find' },

  { keys: ['1'], action: 'showContainers', help: 'containers', group: 'View' },
  { keys: ['2'], action: 'showImages', help: 'images', group: 'View' },
  { keys: ['tab', 'shift-tab'], action: 'nextView', help: 'the other list', group: 'View' },
  { keys: [']', 'right'], action: 'nextTab', help: 'next tab of the details', group: 'View' },
  { keys: ['[', 'left'], action: 'previousTab', help: 'previous tab of the details', group: 'View' },
  { keys: ['l', 'm'], action: 'showLogs', help: 'scroll in the logs', group: 'View', short: 'logs' },
  { keys: ['i'], action: 'showSummary', help: 'scroll in the summary', group: 'View', short: 'inspect' },
  { keys: ['enter'], action: 'enterDetails', help: 'scroll in the details', group: 'View' },
  { keys: ['f'], action: 'follow', help: 'follow the logs again', group: 'View' },
  { keys: ['+'], action: 'zoom', help: 'give the pane the whole screen', group: 'View' },
  { keys: ['_', '-'], action: 'unzoom', help: 'show both panes', group: 'View' },

  { keys: ['esc', 'h'], action: 'back', help: 'back to the list; clear the filter', group: 'General' },
  { keys: ['?'], action: 'help', help: 'this help', group: 'General', short: 'help' },
  { keys: ['q', 'ctrl-c'], action: 'quit', help: 'quit', group: 'General', short: 'quit' },
];

const actions = new Map(keymap.flatMap(({ keys, action }) => keys.map((key) => [key, action] as const)));

/** What a key does where no prompt has the keys. */
export function actionOf(key: KeyName): ActionName | undefined {
  return actions.get(key);
}

const shown: Readonly<Record<string, string>> = {
  up: '↑',
  down: '↓',
  left: '←',
  right: '→',
  pageup: 'PgUp',
  pagedown: 'PgDn',
  home: 'Home',
  end: 'End',
  enter: 'Enter',
  esc: 'Esc',
  tab: 'Tab',
  'shift-tab': 'Shift-Tab',
  ' ': 'Space',
};

/** A key as people read it. */
export function showKey(key: KeyName): string {
  return shown[key] ?? key.replace(/^ctrl-/, 'Ctrl-');
}
