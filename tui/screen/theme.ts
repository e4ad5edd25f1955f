import type { Mark } from '../lists/entry.ts';

/**
 * Colours are few, and from the terminal's own sixteen: those its owner can read on his background. Yellow,
 * white and black are not among them. Nothing is told by a colour alone.
 */
export type Tone = 'good' | 'bad' | 'odd' | 'plain';

export type Theme = {
  readonly colours: boolean;
  readonly glyphs: Readonly<Record<Mark, string>>;
  readonly cursor: string;
  readonly line: string;
};

const glyphs: Readonly<Record<Mark, string>> = {
  running: '●',
  paused: '‖',
  restarting: '↻',
  created: '◌',
  exited: '○',
  failed: '✗',
  image: '▪',
};

const asciiGlyphs: Readonly<Record<Mark, string>> = {
  running: '*',
  paused: '=',
  restarting: '@',
  created: '.',
  exited: 'o',
  failed: 'x',
  image: '-',
};

/** `NO_COLOR` takes the colours away (no-color.org); `BERTH_ICONS=ascii`, or the Linux console, the glyphs. */
export function readTheme(env: Readonly<Record<string, string | undefined>>): Theme {
  const ascii = env.BERTH_ICONS === 'ascii' || env.TERM === 'linux';
  return {
    colours: !env.NO_COLOR,
    glyphs: ascii ? asciiGlyphs : glyphs,
    cursor: ascii ? '>' : '▸',
    line: ascii ? '-' : '─',
  };
}

export function toneOf(mark: Mark): Tone {
  switch (mark) {
    case 'running':
      return 'good';
    case 'failed':
      return 'bad';
    case 'paused':
    case 'restarting':
      return 'odd';
    default:
      return 'plain';
  }
}

const colourOf: Readonly<Record<Tone, string | undefined>> = {
  good: 'green',
  bad: 'red',
  odd: 'magenta',
  plain: undefined,
};

/** The colour that Ink is given for a tone; undefined for the terminal's own. */
export function colour(theme: Theme, tone: Tone): { readonly color?: string } {
  const name = theme.colours ? colourOf[tone] : undefined;
  return name === undefined ? {} : { color: name };
}
