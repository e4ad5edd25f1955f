import type { CallToolResult } from '@modelcontextprotocol/server';
import { BerthError, toBerthError } from '../engine/api/errors.ts';
import { clip, readable } from './budget.ts';
import type { Outcome } from './tool.ts';

const MAX_ERROR_TEXT = 2000;

/** A tool's outcome on the wire: the text for clients that show it, the same as data for those that read it. */
export function resultOf(outcome: Outcome<unknown>): CallToolResult {
  return {
    content: [{ type: 'text', text: outcome.text }],
    structuredContent: outcome.data as Record<string, unknown>,
    ...(outcome.failed ? { isError: true } : {}),
  };
}

/** A failure on the wire: what was wrong, and what to do. */
export function errorResult(thrown: unknown): CallToolResult {
  return { content: [{ type: 'text', text: errorText(thrown) }], isError: true };
}

/** One line that says what was wrong, and one that says what to do where that is known. */
export function errorText(thrown: unknown): string {
  const error = thrown instanceof BerthError ? thrown : toBerthError(thrown);
  const hint = error.hint === undefined ? '' : `\nhint: ${error.hint}`;
  return clip(readable(`${error.code}: ${error.message}${hint}`), MAX_ERROR_TEXT);
}
