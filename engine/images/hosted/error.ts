import { BerthError, type ErrorCode } from '../../api/errors.ts';

/**
 * What a registry refuses: OCI distribution spec v1.1, "Error Codes", and those that docker's registry has beside
 * them, each with its status over HTTP and what it is elsewhere in the engine.
 */
export const refusals = {
  BLOB_UNKNOWN: { http: 404, code: 'notFound' },
  BLOB_UPLOAD_INVALID: { http: 400, code: 'invalid' },
  BLOB_UPLOAD_UNKNOWN: { http: 404, code: 'notFound' },
  DENIED: { http: 403, code: 'forbidden' },
  DIGEST_INVALID: { http: 400, code: 'invalid' },
  MANIFEST_BLOB_UNKNOWN: { http: 400, code: 'invalid' },
  MANIFEST_INVALID: { http: 400, code: 'invalid' },
  MANIFEST_UNKNOWN: { http: 404, code: 'notFound' },
  NAME_INVALID: { http: 400, code: 'invalid' },
  NAME_UNKNOWN: { http: 404, code: 'notFound' },
  PAGINATION_NUMBER_INVALID: { http: 400, code: 'invalid' },
  RANGE_INVALID: { http: 416, code: 'invalid' },
  SIZE_INVALID: { http: 400, code: 'invalid' },
  TAG_INVALID: { http: 400, code: 'invalid' },
  TOO_LARGE: { http: 413, code: 'invalid' },
  TOOMANYREQUESTS: { http: 429, code: 'unavailable' },
  UNAUTHORIZED: { http: 401, code: 'unauthorized' },
  UNSUPPORTED: { http: 405, code: 'unsupported' },
} as const satisfies Readonly<Record<string, { readonly http: number; readonly code: ErrorCode }>>;

export type RefusalReason = keyof typeof refusals;

/** A refusal of the registry's, with the code that its clients look for. */
export class Refusal extends BerthError {
  readonly reason: RefusalReason;

  constructor(reason: RefusalReason, message: string, options: { readonly cause?: unknown } = {}) {
    super(refusals[reason].code, message, options);
    this.reason = reason;
  }
}
