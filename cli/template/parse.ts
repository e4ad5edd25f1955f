import { constantOf } from './constants.ts';
import type { Value } from './values.ts';
import { openWords } from './words.ts';

/** What a template does, in the order of its text. */
export type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'action'; readonly pipe: Pipe }
  | {
      readonly kind: 'if' | 'with' | 'range';
      readonly pipe: Pipe;
      readonly body: readonly Node[];
      readonly otherwise: readonly Node[];
    }
  | { readonly kind: 'template'; readonly name: string; readonly pipe: Pipe | undefined; readonly at: number }
  | { readonly kind: 'break' | 'continue' };

/** `at` is where errors point to; `text` is what they show. */
type Placed = { readonly at: number; readonly text: string };
export type Pipe = Placed & {
  readonly kind: 'pipe';
  /** Variables that get the value: set up (`:=`), or only given it (`=`). */
  readonly variables: readonly string[];
  readonly assigns: boolean;
  readonly commands: readonly Command[];
};
export type Command = Placed & { readonly words: readonly [Operand, ...Operand[]] };
export type Operand =
  | (Placed & { readonly kind: 'dot' | 'nil' })
  | (Placed & { readonly kind: 'constant'; readonly value: Value })
  | (Placed & { readonly kind: 'field'; readonly names: readonly string[] })
  | (Placed & { readonly kind: 'variable'; readonly name: string; readonly names: readonly string[] })
  | (Placed & { readonly kind: 'chain'; readonly of: Operand; readonly names: readonly string[] })
  | (Placed & { readonly kind: 'function'; readonly name: string })
  | Pipe;

export type Parsed = {
  readonly nodes: readonly Node[];
  /** What `define` and `block` named. */
  readonly named: ReadonlyMap<string, readonly Node[]>;
};

const CONSTANT_WORDS = ['nil', 'true', 'false'];

/** Reads a template. `isFunction` says which names are functions. Throws SyntaxProblem. */
export function parse(source: string, isFunction: (name: string) => boolean): Parsed {
  const { peek, peekWord, next, nextWord, fail, unexpected, close } = openWords(source);
  const named = new Map<string, readonly Node[]>();
  let variables: string[] = ['$'];
  let loops = 0;

  /** Nodes up to an `{{end}}`, an `{{else}}`, or the end of the text; says which it was. */
  function list(inside: string | undefined): { nodes: Node[]; ended: 'end' | 'else' | undefined } {
    const nodes: Node[] = [];
    for (;;) {
      const token = next();
      if (token.kind === 'end') {
        if (inside !== undefined) fail('unexpected EOF');
        return { nodes, ended: undefined };
      }
      if (token.kind === 'text') {
        nodes.push({ kind: 'text', text: token.text });
        continue;
      }
      const word = peekWord();
      if (word.kind !== 'keyword' || CONSTANT_WORDS.includes(word.text)) {
        const pipe = pipeline('command', 'close', false);
        nodes.push({ kind: 'action', pipe });
        continue;
      }
      next();
      if (word.text === 'end' || word.text === 'else') {
        if (inside === undefined) fail(`unexpected {{${word.text}}}`);
        if (word.text === 'end') close('end');
        return { nodes, ended: word.text };
      }
      if (word.text === 'define' && inside !== undefined) unexpected(word, 'command');
      const node = keyword(word.text);
      if (node !== undefined) nodes.push(node);
    }
  }

  function keyword(name: string): Node | undefined {
    if (name === 'if' || name === 'with' || name === 'range') return control(name);
    if (name === 'break' || name === 'continue') {
      close(`{{${name}}}`);
      if (loops === 0) fail(`{{${name}}} outside {{range}}`);
      return { kind: name };
    }
    const token = nextWord();
    if (token.kind !== 'string') unexpected(token, `${name} clause`);
    const { at } = token;
    const called = String(constantOf(token).data);
    if (name === 'template') {
      const pipe = peekWord().kind === 'close' ? undefined : pipeline('template clause', 'close', false);
      if (pipe === undefined) close('template clause');
      return { kind: 'template', name: called, pipe, at };
    }
    const pipe = name === 'block' ? pipeline('block clause', 'close', false) : undefined;
    if (name === 'define') close('define clause');
    const outside = variables;
    variables = ['$'];
    const { nodes, ended } = list(name);
    if (ended !== 'end') fail(`unexpected {{else}} in ${name} clause`);
    variables = outside;
    named.set(called, nodes);
    return pipe === undefined ? undefined : { kind: 'template', name: called, pipe, at };
  }

  function control(kind: 'if' | 'with' | 'range'): Node {
    const depth = variables.length;
    const pipe = pipeline(kind, 'close', kind === 'range');
    if (kind === 'range') loops++;
    const { nodes: body, ended } = list(kind);
    if (kind === 'range') loops--;
    let otherwise: readonly Node[] = [];
    if (ended === 'else') {
      // `{{else if …}}` is `{{else}}{{if …}}` with one `{{end}}` for both.
      const word = peekWord();
      if (word.kind === 'keyword' && word.text === kind && kind !== 'range') {
        next();
        otherwise = [control(kind)];
      } else {
        close('else');
        const rest = list(kind);
        if (rest.ended !== 'end') fail('expected end; found {{else}}');
        otherwise = rest.nodes;
      }
    }
    variables.length = depth;
    return { kind, pipe, body, otherwise };
  }

  function pipeline(where: string, end: 'close' | ')', inRange: boolean): Pipe {
    const { at } = peekWord();
    const declared = declarations(inRange, where);
    const commands: Command[] = [];
    for (;;) {
      const token = peekWord();
      if (token.kind === 'symbol' && token.text !== '(' && token.text !== ')') unexpected(nextWord(), where);
      if (token.kind === 'close' || token.text === ')') {
        if (commands.length === 0) fail(`missing value for ${where}`);
        for (const [
          stage,
          {
            words: [first],
          },
        ] of commands.entries())
          if (stage > 0 && ['constant', 'dot', 'nil'].includes(first.kind))
            fail(`non executable command in pipeline stage ${stage + 1}`);
        nextWord();
        if (token.kind === 'close' ? end !== 'close' : end !== ')') unexpected(token, where);
        break;
      }
      commands.push(command());
    }
    variables.push(...(declared.assigns ? [] : declared.variables));
    const text = commands.map((one) => one.text).join(' | ');
    const before = declared.variables.join(', ');
    return {
      kind: 'pipe',
      at,
      text: before === '' ? text : `${before} ${declared.assigns ? '=' : ':='} ${text}`,
      ...declared,
      commands,
    };
  }

  /** `$x :=`, `$x =`, and in a range `$i, $x :=`. */
  function declarations(inRange: boolean, where: string): Pick<Pipe, 'variables' | 'assigns'> {
    const found: string[] = [];
    for (;;) {
      const variable = peekWord();
      if (variable.kind !== 'variable') break;
      const after = peek(1).kind === 'space' ? peek(2) : peek(1);
      const isPair = after.text === ',' && inRange && found.length === 0;
      if (after.text === ',' && !isPair) fail(`too many declarations in ${where}`);
      if (!isPair && after.text !== ':=' && after.text !== '=') break;
      next();
      nextWord();
      found.push(variable.text);
      if (isPair) continue;
      const assigns = after.text === '=';
      const unknown = found.find((name) => assigns && !variables.includes(name));
      if (unknown !== undefined) fail(`undefined variable ${JSON.stringify(unknown)}`);
      return { variables: found, assigns };
    }
    if (found.length > 0) fail('range can only initialize variables');
    return { variables: [], assigns: false };
  }

  function command(): Command {
    const { at } = peekWord();
    const operands: Operand[] = [];
    for (;;) {
      peekWord();
      const one = operand();
      if (one !== undefined) operands.push(one);
      const token = peek();
      if (token.kind === 'space') continue;
      if (token.text === '|') next();
      else if (token.kind !== 'close' && token.text !== ')') unexpected(next(), 'operand');
      break;
    }
    const [first, ...more] = operands;
    if (first === undefined) return fail('empty command');
    return { at, words: [first, ...more], text: operands.map(shown).join(' ') };
  }

  function operand(): Operand | undefined {
    const first = term();
    const { at, kind } = peek();
    if (first === undefined || kind !== 'field') return first;
    const names: string[] = [];
    while (peek().kind === 'field') names.push(next().text.slice(1));
    const text = `${shown(first)}.${names.join('.')}`;
    if (first.kind === 'field' || first.kind === 'variable')
      return { ...first, at, text, names: [...first.names, ...names] };
    if (first.kind === 'constant' || first.kind === 'nil' || first.kind === 'dot')
      return fail(`unexpected . after term ${JSON.stringify(first.text)}`);
    return { kind: 'chain', at, text, of: first, names };
  }

  function term(): Operand | undefined {
    const token = peek();
    const { kind, at, text } = token;
    if (['close', 'space', 'end'].includes(kind)) return undefined;
    if (kind === 'symbol' && text !== '(') return undefined;
    if (kind === 'keyword' && !CONSTANT_WORDS.includes(text)) return undefined;
    next();
    switch (kind) {
      case 'identifier':
        if (!isFunction(text)) fail(`function ${JSON.stringify(text)} not defined`);
        return { kind: 'function', at, text, name: text };
      case 'dot':
        return { kind: 'dot', at, text };
      case 'variable':
        if (!variables.includes(text)) fail(`undefined variable ${JSON.stringify(text)}`);
        return { kind: 'variable', at, text, name: text, names: [] };
      case 'field':
        return { kind: 'field', at, text, names: [text.slice(1)] };
      case 'symbol':
        return pipeline('parenthesized pipeline', ')', false);
      default:
        if (text === 'nil') return { kind: 'nil', at, text };
        return { kind: 'constant', at, text, value: constantOf(token) };
    }
  }

  return { nodes: list(undefined).nodes, named };
}

function shown(operand: Operand): string {
  return operand.kind === 'pipe' ? `(${operand.text})` : operand.text;
}
