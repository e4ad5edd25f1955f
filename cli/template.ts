import { FormatError } from './format-error.ts';
import { evaluate } from './template/evaluate.ts';
import { functions, headerFunctions } from './template/functions.ts';
import { SyntaxProblem } from './template/lex.ts';
import { type Parsed, parse } from './template/parse.ts';
import { EvaluationProblem } from './template/pipes.ts';
import { goType } from './template/shapes.ts';
import { basic, type GoType } from './template/values.ts';

/** A format in Go's template language with docker's functions, read. Loaded only where a format is given. */
export type Template = { readonly source: string; readonly name: string; readonly parsed: Parsed };

export type FillOptions = {
  /**
   * What the data is to Go, as docker's name of the type (`container.InspectResponse`): by it fields are found and
   * printed. Without one, data is what JSON says.
   */
  readonly type?: string | GoType;
  /** What becomes of a value's text before it is put in. */
  readonly show?: (text: string) => string;
  /** Whether a key that a map does not have is an error; else it is `<no value>`. */
  readonly strictKeys?: boolean;
  /** Whether a table's header is made: docker's functions leave its titles as they are. */
  readonly header?: boolean;
};

/** What docker exits with where a format can't be read; lists exit with 1. */
const NOT_A_TEMPLATE = 64;

/** Reads a format. `name` stands in its errors, as docker has it. Throws FormatError. */
export function parseTemplate(
  source: string,
  { name = '', exitCode = NOT_A_TEMPLATE }: { readonly name?: string; readonly exitCode?: number } = {},
): Template {
  try {
    return { source, name, parsed: parse(source, (word) => Object.hasOwn(functions, word)) };
  } catch (error) {
    if (!(error instanceof SyntaxProblem)) throw error;
    const { line } = placeOf(source, error.at);
    throw formatError(`template: ${name}:${line}: ${error.message}`, exitCode);
  }
}

/** Fills a template in. Throws FormatError where it asks for what is not there, or not possible. */
export function fillTemplate(
  { source, name, parsed }: Template,
  data: unknown,
  { type = basic.any, show, header = false, strictKeys = false }: FillOptions = {},
): string {
  try {
    return evaluate(
      parsed,
      { type: typeof type === 'string' ? goType(type) : type, data },
      {
        functions: header ? headerFunctions : functions,
        strictKeys,
        ...(show === undefined ? {} : { show }),
      },
    );
  } catch (error) {
    if (!(error instanceof EvaluationProblem)) throw error;
    const { line, column } = placeOf(source, error.at);
    const where = `template: ${name}:${line}:${column}: executing ${JSON.stringify(name)} at <${error.node}>`;
    throw formatError(`${where}: ${error.message}`, 1, error.partial);
  }
}

/**
 * Fills a template in as docker's `inspect` does: by Go's types first, whose names of fields are Go's (`.ID`,
 * `.HostConfig.NanoCPUs`), and where that fails by the JSON as it came (`.Id`, `.HostConfig.NanoCpus`), of which
 * every key that is asked for has to be there. Throws FormatError.
 */
export function fillInspected(
  template: Template,
  data: unknown,
  options: FillOptions & { readonly type: string },
): string {
  try {
    return fillTemplate(template, data, options);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return fillTemplate(template, data, { ...options, type: basic.any, strictKeys: true });
  }
}

/** The line, from 1, and the bytes before it there, as Go counts them. */
function placeOf(source: string, at: number): { readonly line: number; readonly column: number } {
  const lines = source.slice(0, at).split('\n');
  return { line: lines.length, column: Buffer.byteLength(lines.at(-1) ?? '') };
}

function formatError(message: string, exitCode: number, partial = ''): FormatError {
  return new FormatError(`template parsing error: ${message}`, {
    exitCode,
    partial,
    hint: '--format json shows all there is',
  });
}
