import { lex, SyntaxProblem, type Token } from './lex.ts';

/** The words of a template for its parser, with as many seen ahead as it wants. */
export type Words = {
  peek(ahead?: number): Token;
  next(): Token;
  /** The same two, over spaces. */
  peekWord(): Token;
  nextWord(): Token;
  /** Throws SyntaxProblem at the word that was taken last. */
  fail(message: string): never;
  unexpected(token: Token, where: string): never;
  /** Takes the `}}` that has to come next. */
  close(where: string): void;
};

export function openWords(source: string): Words {
  const tokens = lex(source);
  const ahead: Token[] = [];
  let last: Token = { kind: 'end', at: 0, text: '' };
  const peek = (count = 0): Token => {
    while (ahead.length <= count) ahead.push(tokens.next().value ?? { ...last, kind: 'end', text: '' });
    return ahead[count] as Token;
  };
  const next = (): Token => {
    last = peek();
    ahead.shift();
    return last;
  };
  const peekWord = (): Token => {
    while (peek().kind === 'space') next();
    return peek();
  };
  const nextWord = (): Token => {
    peekWord();
    return next();
  };
  const fail = (message: string): never => {
    throw new SyntaxProblem(message, last.at);
  };
  const unexpected = ({ kind, text }: Token, where: string): never =>
    fail(
      `unexpected ${kind === 'end' ? 'EOF' : kind === 'keyword' ? `<${text}>` : JSON.stringify(text)} in ${where}`,
    );
  const close = (where: string): void => {
    const token = nextWord();
    if (token.kind !== 'close') unexpected(token, where);
  };
  return { peek, next, peekWord, nextWord, fail, unexpected, close };
}
