import type { Model } from '../model.ts';
import { cleanText } from '../text/clean.ts';
import type { KeyName } from './keys.ts';

const MAX_FILTER = 200;

/** A key while the filter is typed: the list follows at once; Enter keeps it, Esc brings back what was before. */
export function pressInFilter(model: Model, key: KeyName): Model {
  const text = model.filters[model.view];
  const prompt = model.prompt?.kind === 'filter' ? model.prompt : undefined;
  switch (key) {
    case 'enter':
      return { ...model, prompt: undefined };
    case 'esc':
    case 'ctrl-c':
      return { ...withFilter(model, prompt?.before ?? ''), prompt: undefined };
    case 'backspace':
    case 'ctrl-h':
      return text === ''
        ? { ...model, prompt: undefined }
        : withFilter(model, [...text].slice(0, -1).join(''));
    case 'ctrl-u':
      return withFilter(model, '');
    case 'ctrl-w':
      return withFilter(model, text.replace(/\S*\s*$/, ''));
    default:
      // Names of keys are longer than the one character that a typed one is.
      return [...key].length === 1 ? withFilter(model, text + key) : model;
  }
}

/** Text pasted while the filter is typed. */
export function pasteInFilter(model: Model, text: string): Model {
  return withFilter(model, model.filters[model.view] + cleanText(text));
}

function withFilter(model: Model, filter: string): Model {
  return { ...model, filters: { ...model.filters, [model.view]: filter.slice(0, MAX_FILTER) } };
}

/** A key while the help is shown. */
export function pressInHelp(model: Model, key: KeyName): Model {
  if (model.prompt?.kind !== 'help') return model;
  const { top } = model.prompt;
  const scroll = (by: number): Model => ({ ...model, prompt: { kind: 'help', top: Math.max(0, top + by) } });
  switch (key) {
    case 'j':
    case 'down':
      return scroll(1);
    case 'k':
    case 'up':
      return scroll(-1);
    case 'pagedown':
    case ' ':
      return scroll(10);
    case 'pageup':
      return scroll(-10);
    default:
      return { ...model, prompt: undefined };
  }
}
