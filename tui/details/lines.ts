import type { Model } from '../model.ts';
import { containerFacts } from './container.ts';
import { formatFacts } from './fields.ts';
import { imageFacts } from './image.ts';
import type { TabName } from './tabs.ts';

type Lines = readonly string[];
let last: { readonly inputs: readonly unknown[]; readonly lines: Lines } | undefined;

/** What a tab other than the logs shows, cut into lines of the screen's width. */
export function detailLines(model: Model): Lines {
  const tab = model.tabs[model.view];
  const width = model.size.columns - 2;
  const inputs = [model.inspected, tab, width, model.cursors[model.view].key];
  if (last?.inputs.every((input, index) => Object.is(input, inputs[index]))) return last.lines;
  const lines = makeLines(model, tab, width);
  last = { inputs, lines };
  return lines;
}

const nothing: Readonly<Record<TabName, string>> = {
  Logs: '',
  Summary: '',
  Env: 'no environment variables',
  Mounts: 'no mounts',
  Labels: 'no labels',
};

function makeLines(model: Model, tab: TabName, width: number): Lines {
  const { inspected } = model;
  // An answer about what was selected before says nothing about what is selected now.
  if (inspected === undefined || inspected.key !== model.cursors[model.view].key) return [];
  if (inspected.of.kind === 'failed') return formatFacts([['Error', inspected.of.message]], width);
  const facts =
    inspected.of.kind === 'container'
      ? containerFacts(inspected.of.inspect, tab)
      : imageFacts(inspected.of.inspect, tab);
  return facts.length === 0 ? [nothing[tab]] : formatFacts(facts, width);
}
