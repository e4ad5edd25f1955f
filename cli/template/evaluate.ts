import type { GoFunction } from './functions.ts';
import type { Node, Parsed } from './parse.ts';
import { type Arg, bind, EvaluationProblem, pipeValue, type Scope } from './pipes.ts';
import { printed } from './print.ts';
import { entriesOf, indirect, int, isTrue, itemsOf, type Value } from './values.ts';

/** A template that names itself would go on for ever. */
const MAX_DEPTH = 1000;

export type EvaluateOptions = {
  readonly functions: Readonly<Record<string, GoFunction>>;
  /** What becomes of a value's text before it is put in. */
  readonly show?: (text: string) => string;
  /** Whether a key that a map does not have is an error. */
  readonly strictKeys?: boolean;
};

type Run = EvaluateOptions & { readonly parsed: Parsed; readonly out: string[]; readonly depth: number };
type Loop = Extract<Node, { readonly kind: 'if' | 'with' | 'range' }>;
/** What ends the round of a range. */
type Stopped = 'break' | 'continue' | undefined;

/** Fills a template in. Throws EvaluationProblem. */
export function evaluate(parsed: Parsed, data: Value, options: EvaluateOptions): string {
  const run: Run = { ...options, parsed, out: [], depth: 0 };
  try {
    walk(run, parsed.nodes, scopeOf(run, data));
  } catch (error) {
    if (error instanceof EvaluationProblem) error.partial = run.out.join('');
    throw error;
  }
  return run.out.join('');
}

const scopeOf = ({ functions, strictKeys = false }: Run, dot: Arg): Scope => ({
  dot,
  variables: [['$', dot]],
  functions,
  strictKeys,
});

function walk(run: Run, nodes: readonly Node[], scope: Scope): Stopped {
  for (const node of nodes) {
    const stopped = step(run, node, scope);
    if (stopped !== undefined) return stopped;
  }
  return undefined;
}

function step(run: Run, node: Node, scope: Scope): Stopped {
  switch (node.kind) {
    case 'text':
      run.out.push(node.text);
      return undefined;
    case 'action': {
      const value = pipeValue(node.pipe, scope);
      const { show = (text: string) => text } = run;
      if (node.pipe.variables.length === 0) run.out.push(show(printed(value)));
      return undefined;
    }
    case 'template':
      callTemplate(run, node, scope);
      return undefined;
    case 'if':
    case 'with':
    case 'range': {
      const mark = scope.variables.length;
      const stopped = node.kind === 'range' ? range(run, node, scope) : branch(run, node, scope);
      scope.variables.length = mark;
      return stopped;
    }
    default:
      return node.kind;
  }
}

function branch(run: Run, { kind, pipe, body, otherwise }: Loop, scope: Scope): Stopped {
  const value = pipeValue(pipe, scope);
  if (!isTrue(value)) return walk(run, otherwise, scope);
  return walk(run, body, kind === 'with' ? { ...scope, dot: value } : scope);
}

function range(run: Run, { pipe, body, otherwise }: Loop, scope: Scope): Stopped {
  const over = indirect(pipeValue({ ...pipe, variables: [] }, scope));
  const pairs = over === undefined ? [] : pairsOf(over);
  if (pairs === undefined) throw new EvaluationProblem(`range can't iterate over ${printed(over)}`, pipe);
  if (pairs.length === 0) return walk(run, otherwise, scope);
  const mark = scope.variables.length;
  const [first, second] = pipe.variables;
  for (const [key, item] of pairs) {
    scope.variables.length = mark;
    if (first !== undefined && second !== undefined)
      bind(scope, pipe, [
        [first, key],
        [second, item],
      ]);
    else if (first !== undefined) bind(scope, pipe, [[first, item]]);
    if (walk(run, body, { ...scope, dot: item }) === 'break') break;
  }
  return undefined;
}

/** What a range goes over, each with its index or key; undefined for what has no parts. */
function pairsOf(value: Value): readonly (readonly [Value, Value])[] | undefined {
  const { type, data } = value;
  if (type.kind === 'slice') return itemsOf(value).map((item, index) => [int(index), item]);
  if (type.kind === 'map') return entriesOf(value);
  if (type.kind === 'int')
    return Array.from({ length: Math.max(0, Number(data ?? 0)) }, (_, index) => [int(index), int(index)]);
  return undefined;
}

function callTemplate(run: Run, node: Extract<Node, { kind: 'template' }>, scope: Scope): void {
  const place = { at: node.at, text: `{{template ${JSON.stringify(node.name)}}}` };
  const nodes = run.parsed.named.get(node.name);
  if (nodes === undefined)
    throw new EvaluationProblem(`template ${JSON.stringify(node.name)} not defined`, place);
  if (run.depth >= MAX_DEPTH)
    throw new EvaluationProblem(`exceeded maximum template depth (${MAX_DEPTH})`, place);
  const dot = node.pipe === undefined ? undefined : pipeValue(node.pipe, scope);
  walk({ ...run, depth: run.depth + 1 }, nodes, scopeOf(run, dot));
}
