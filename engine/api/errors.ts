/**
 * Every error code, with what it becomes on the wire and on the command line.
 * `http` is the response status (499 is never sent: the peer is gone), `exit` the exit code of the CLI.
 */
export const errorTable = {
  invalid: { http: 400, exit: 1 },
  unauthorized: { http: 401, exit: 1 },
  forbidden: { http: 403, exit: 1 },
  notFound: { http: 404, exit: 1 },
  conflict: { http: 409, exit: 1 },
  unsupported: { http: 501, exit: 1 },
  unavailable: { http: 503, exit: 1 },
  internal: { http: 500, exit: 1 },
  cancelled: { http: 499, exit: 130 },
  usage: { http: 400, exit: 125 },
} as const;

export type ErrorCode = keyof typeof errorTable;

/** What an error answer looks like on the wire: Docker's `message`, and what Berth adds to it. */
export type ErrorBody = {
  readonly message: string;
  readonly code?: ErrorCode;
  readonly hint?: string;
};

/**
 * The one error class. `message` names what was wrong and with which value; `hint` is what to do,
 * preferably a command to type.
 */
export class BerthError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options: { readonly hint?: string | undefined; readonly cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'BerthError';
    this.code = code;
    this.hint = options.hint;
  }
}

/** Makes a BerthError of anything thrown: an abort becomes `cancelled`, all else `internal`. */
export function toBerthError(thrown: unknown): BerthError {
  if (thrown instanceof BerthError) return thrown;
  if (thrown instanceof Error) {
    const code = thrown.name === 'AbortError' ? 'cancelled' : 'internal';
    return new BerthError(code, thrown.message, { cause: thrown });
  }
  return new BerthError('internal', String(thrown), { cause: thrown });
}

/** The body of an error answer. */
export function errorBody(error: BerthError): ErrorBody {
  return {
    message: error.message,
    code: error.code,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
  };
}

/** Reads an error answer; one from an engine that sends no `code` gets it from the HTTP status. */
export function errorFromBody(status: number, body: ErrorBody): BerthError {
  const known = body.code !== undefined && body.code in errorTable ? body.code : codeOfStatus(status);
  return new BerthError(known, body.message, { hint: body.hint });
}

function codeOfStatus(status: number): ErrorCode {
  for (const [code, row] of Object.entries(errorTable)) {
    if (row.http === status) return code as ErrorCode;
  }
  return status >= 400 && status < 500 ? 'invalid' : 'internal';
}

/** Whether `error` is a system error with this code (`ENOENT`, …). */
export function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && (error as NodeJS.ErrnoException).code === code;
}
