import { BerthError } from '../engine/api/errors.ts';

/** What is wrong with a format, with docker's exit code for it. */
export class FormatError extends BerthError {
  readonly exitCode: number;
  /** What was filled in before it. */
  readonly partial: string;

  constructor(
    message: string,
    options: { readonly exitCode: number; readonly partial?: string; readonly hint?: string },
  ) {
    super('usage', message, options);
    this.exitCode = options.exitCode;
    this.partial = options.partial ?? '';
  }
}
