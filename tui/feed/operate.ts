import type { Client } from '../../engine/client/index.ts';
import type { ActionName } from '../input/keymap.ts';
import type { Entry } from '../lists/entry.ts';
import { selectedEntry } from '../lists/visible.ts';
import type { Model, Prompt } from '../model.ts';
import type { Update } from './refresh.ts';
import { showError } from './watch.ts';

type Verb = 'start' | 'stop' | 'restart' | 'remove';

const words: Readonly<Record<Verb, { readonly doing: string; readonly already: string }>> = {
  start: { doing: 'Starting…', already: 'is running already' },
  stop: { doing: 'Stopping…', already: 'is stopped already' },
  restart: { doing: 'Restarting…', already: '' },
  remove: { doing: 'Removing…', already: '' },
};

export type Question = Extract<Prompt, { kind: 'confirm' }>;

export type Operator = {
  /** Does what a key asks of the engine to the selected entry; `remove` asks back first. */
  request(verb: Verb): void;
  /** Does what a question was answered with yes for. */
  confirm(question: Question): void;
};

export function isVerb(action: ActionName): action is Verb {
  return action in words;
}

/** Asks the engine to change things, and says on the screen what it is doing and what went wrong. */
export function createOperator(options: {
  readonly client: Client;
  readonly model: () => Model;
  readonly update: Update;
  readonly signal: AbortSignal;
}): Operator {
  const { client, model, update, signal } = options;

  function inform(text: string): void {
    update((now) => ({ ...now, notice: { kind: 'info', text, hint: undefined } }));
  }

  async function perform(
    verb: Verb,
    on: { readonly key: string; readonly name: string },
    act: () => Promise<unknown>,
  ): Promise<void> {
    const under = model().doing.get(on.key);
    if (under !== undefined) return inform(`${on.name}: ${under}`);
    update((now) => ({ ...now, doing: new Map(now.doing).set(on.key, words[verb].doing) }));
    try {
      const changed = await act();
      if (changed === false) inform(`${on.name} ${words[verb].already}`);
    } catch (error) {
      showError(update, error, `${verb} ${on.name}: `);
    } finally {
      update((now) => {
        const doing = new Map(now.doing);
        doing.delete(on.key);
        return { ...now, doing };
      });
    }
  }

  function ask(entry: Entry): void {
    const { view } = model();
    const thing = view === 'containers' ? 'container' : 'image';
    const consequence = entry.running ? ' It is running and will be killed.' : '';
    const { key, target, name, running } = entry;
    update((now) => ({
      ...now,
      prompt: {
        kind: 'confirm',
        question: `Remove ${thing} ${name}?${consequence}`,
        view,
        key,
        target,
        name,
        running,
      },
    }));
  }

  return {
    request(verb) {
      const entry = selectedEntry(model());
      if (entry === undefined) return;
      if (verb === 'remove') return ask(entry);
      if (model().view !== 'containers') return inform('only containers can be started and stopped');
      const input = { id: entry.target };
      const act = {
        start: () => client.act('containerStart', input, { signal }),
        stop: () => client.act('containerStop', input, { signal }),
        restart: () => client.act('containerRestart', input, { signal }),
      };
      void perform(verb, entry, act[verb]);
    },
    confirm(question) {
      const { view, target, running } = question;
      void perform('remove', question, () =>
        view === 'containers'
          ? client.act('containerRemove', { id: target, force: running }, { signal })
          : client.call('imageRemove', { name: target }, { signal }),
      );
    },
  };
}
