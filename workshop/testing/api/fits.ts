import assert from 'node:assert/strict';
import type { Loose } from './wire.ts';

/**
 * What a part of an answer must be: text that a pattern fits, any text, number or truth value (`String`, `Number`,
 * `Boolean`), a list whose elements fit the one given, an object with at least these fields, a test, or a value.
 */
export type Shape =
  | RegExp
  | StringConstructor
  | NumberConstructor
  | BooleanConstructor
  | readonly [Shape]
  | { readonly [field: string]: Shape }
  | ((value: Loose) => boolean)
  | string
  | number
  | boolean
  | null;

/** Throws an assertion that names the first field that does not fit. */
export function assertFits(value: Loose, shape: Shape, path = 'the answer'): void {
  const said = () => `${path} is ${JSON.stringify(value)}`;
  if (shape === String || shape === Number || shape === Boolean)
    assert.equal(typeof value, shape.name.toLowerCase(), said());
  else if (shape instanceof RegExp) assert.ok(typeof value === 'string' && shape.test(value), said());
  else if (typeof shape === 'function') assert.ok((shape as (value: Loose) => boolean)(value), said());
  else if (Array.isArray(shape)) {
    assert.ok(Array.isArray(value), said());
    value.forEach((item, index) => {
      assertFits(item, shape[0], `${path}[${index}]`);
    });
  } else if (typeof shape === 'object' && shape !== null) {
    assert.ok(typeof value === 'object' && value !== null, said());
    for (const [name, inner] of Object.entries(shape)) {
      assert.ok(name in value, `${path} has no ${name}`);
      assertFits(value[name], inner, `${path}.${name}`);
    }
  } else assert.equal(value, shape, said());
}

/** Null, or what fits. */
export const orNull =
  (shape: Shape) =>
  (value: Loose): boolean => {
    if (value !== null) assertFits(value, shape);
    return true;
  };
/** Nothing: null, or a list or map without elements. */
export const nothing = (value: Loose) => value === null || Object.keys(value).length === 0;
export const above =
  (least: number) =>
  (value: Loose): boolean =>
    value > least;
