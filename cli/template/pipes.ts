import type { GoFunction } from './functions.ts';
import { fieldOf, Unevaluable } from './lookup.ts';
import type { Command, Operand, Pipe } from './parse.ts';
import { concrete, indirect, isTrue, type Value } from './values.ts';

/** A value, or what Go prints as `<no value>`. */
export type Arg = Value | undefined;
export type Place = { readonly at: number; readonly text: string };

/** What could not be evaluated, and where it stands in the template. */
export class EvaluationProblem extends Error {
  readonly at: number;
  readonly node: string;
  /** What was filled in before it. */
  partial = '';

  constructor(message: string, { at, text }: Place) {
    super(message);
    this.at = at;
    this.node = text;
  }
}

/** Where an operand's meaning comes from. The variable that was set up last stands last. */
export type Scope = {
  readonly dot: Arg;
  readonly variables: [name: string, value: Arg][];
  readonly functions: Readonly<Record<string, GoFunction>>;
  /** Whether a key that a map does not have is an error. */
  readonly strictKeys: boolean;
};

/** The value of a pipe, which its variables get too. */
export function pipeValue(pipe: Pipe, scope: Scope): Arg {
  let value: Arg;
  for (const [stage, command] of pipe.commands.entries())
    value = concrete(commandValue(command, scope, stage === 0 ? [] : [value]));
  bind(
    scope,
    pipe,
    pipe.variables.map((name) => [name, value] as const),
  );
  return value;
}

/** Sets variables up, or gives them another value. */
export function bind(
  { variables }: Scope,
  { assigns }: Pick<Pipe, 'assigns'>,
  values: readonly (readonly [string, Arg])[],
): void {
  for (const [name, value] of values) {
    const known = assigns ? variables.findLast(([other]) => other === name) : undefined;
    if (known === undefined) variables.push([name, value]);
    else known[1] = value;
  }
}

/** What a command gives. `piped` holds the value that comes out of the command before it. */
function commandValue(command: Command, scope: Scope, piped: readonly Arg[]): Arg {
  const [first, ...more] = command.words;
  if (first.kind === 'function') return callValue(first, { command, words: more, piped }, scope);
  const hasArgs = more.length + piped.length > 0;
  if ('names' in first && first.names.length > 0) {
    const args = hasArgs ? () => [...more.map((word) => operandValue(word, scope)), ...piped] : () => [];
    return chainValue(first, args, scope);
  }
  if (hasArgs) throw new EvaluationProblem(`can't give argument to non-function ${first.text}`, first);
  if (first.kind === 'nil') throw new EvaluationProblem('nil is not a command', first);
  return operandValue(first, scope);
}

function operandValue(operand: Operand, scope: Scope): Arg {
  switch (operand.kind) {
    case 'dot':
      return scope.dot;
    case 'nil':
      return undefined;
    case 'constant':
      return operand.value;
    case 'pipe':
      return pipeValue(operand, scope);
    case 'function':
      return callValue(operand, { command: operand, words: [], piped: [] }, scope);
    default:
      return chainValue(operand, () => [], scope);
  }
}

/** `.a.b`, `$x.a` or `(…).a`; the last of the names may be a method that takes arguments. */
function chainValue(
  operand: Extract<Operand, { names: readonly string[] }>,
  args: () => readonly Arg[],
  scope: Scope,
): Arg {
  let value: Arg;
  if (operand.kind === 'field') value = scope.dot;
  else if (operand.kind === 'chain') value = operandValue(operand.of, scope);
  else value = scope.variables.findLast(([name]) => name === operand.name)?.[1];
  for (const [index, name] of operand.names.entries()) {
    const last = index === operand.names.length - 1;
    value = attempt(operand, () =>
      fieldOf(value, name, {
        args: last ? args().filter((arg) => arg !== undefined) : [],
        strictKeys: scope.strictKeys,
      }),
    );
  }
  return value;
}

type Call = { readonly command: Place; readonly words: readonly Operand[]; readonly piped: readonly Arg[] };

function callValue(
  { name, ...place }: Extract<Operand, { kind: 'function' }>,
  { command, words, piped }: Call,
  scope: Scope,
): Arg {
  const made = scope.functions[name];
  if (made === undefined)
    throw new EvaluationProblem(`${JSON.stringify(name)} is not a defined function`, place);
  const { takes, many = false } = made;
  const count = words.length + piped.length;
  const least = many ? takes.length - 1 : takes.length;
  if (count < least || (!many && count > least))
    throw new EvaluationProblem(
      `wrong number of args for ${name}: want ${many ? 'at least ' : ''}${least} got ${count}`,
      place,
    );
  if (made.decides !== undefined) {
    // `and` and `or` give the first argument that decides, and evaluate none after it.
    let last: Arg;
    for (const word of words) {
      last = operandValue(word, scope);
      if (isTrue(last) === made.decides) return last;
    }
    return piped.length > 0 ? piped[0] : last;
  }
  const wanted = (index: number) => takes[Math.min(index, takes.length - 1)] ?? 'any';
  const args = [
    ...words.map((word, index) => checked(operandValue(word, scope), wanted(index), word)),
    ...piped.map((value) => checked(value, wanted(words.length), command)),
  ];
  return attempt(command, () => made.call(...args), `error calling ${name}: `);
}

function attempt<T>(place: Place, act: () => T, prefix = ''): T {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof Unevaluable)) throw error;
    throw new EvaluationProblem(`${prefix}${error.message}`, place);
  }
}

/** An argument, of the type that the function takes. Throws EvaluationProblem for another. */
function checked(value: Arg, wanted: GoFunction['takes'][number], place: Place): Arg {
  if (wanted === 'any') return value;
  const is = indirect(value);
  if (is === undefined) throw new EvaluationProblem(`invalid value; expected ${wanted}`, place);
  const { type } = is;
  const fits =
    wanted === 'string'
      ? type.kind === 'string'
      : wanted === 'int'
        ? type.kind === 'int'
        : type.name === '[]string';
  if (!fits) throw new EvaluationProblem(`wrong type for value; expected ${wanted}; got ${type.name}`, place);
  return is;
}
