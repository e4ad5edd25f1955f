import assert from 'node:assert/strict';
import test from 'node:test';
import { boolean, cpus, filters, integer, list, size, string } from '../engine/api/fields.ts';
import { checkArguments, inputSchema } from './arguments.ts';

const fields = {
  image: string('Image'),
  command: list('Command'),
  memory: size('Memory', { min: 1024 }),
  cpus: cpus('Processors', { min: 0.01 }),
  limit: integer('Rows', { min: 1, max: 9, default: 3 }),
  force: boolean('Force'),
  filter: filters('Filter'),
};

test('a field becomes a property with its summary, limits and default', () => {
  assert.deepEqual(inputSchema(fields, ['image']), {
    type: 'object',
    properties: {
      image: { type: 'string', description: 'Image' },
      command: { type: 'array', items: { type: 'string' }, description: 'Command' },
      memory: { type: 'string', description: 'Memory' },
      cpus: { type: 'number', minimum: 0.01, description: 'Processors' },
      limit: { type: 'integer', minimum: 1, maximum: 9, description: 'Rows', default: 3 },
      force: { type: 'boolean', description: 'Force' },
      filter: { type: 'array', items: { type: 'string' }, description: 'Filter' },
    },
    required: ['image'],
  });
});

test('arguments come out typed: sizes in bytes, filters as a map of lists, nulls left out', () => {
  const given = {
    image: 'busybox',
    command: ['ls', '-la'],
    memory: '512m',
    cpus: 1.5,
    limit: null,
    force: true,
    filter: ['label=a', 'label=tier=web', 'status=exited'],
  };
  assert.deepEqual(checkArguments(fields, ['image'], given), {
    image: 'busybox',
    command: ['ls', '-la'],
    memory: 512 * 2 ** 20,
    cpus: 1.5,
    force: true,
    filter: Object.assign(Object.create(null), { label: ['a', 'tier=web'], status: ['exited'] }),
  });
});

test('a size may be a number of bytes', () => {
  assert.deepEqual(checkArguments(fields, [], { memory: 4096 }), { memory: 4096 });
});

for (const [why, given, message] of [
  ['is no object', 'ls', /not an object/],
  ['is a list', [], /not an object/],
  ['lacks what is required', {}, /no image given/],
  ['has an empty required value', { image: '' }, /no image given/],
  ['has a null for a required value', { image: null }, /no image given/],
  ['names what is not there', { image: 'a', privileged: true }, /no parameter "privileged"/],
  ['names a property of every object', { image: 'a', constructor: 1 }, /no parameter "constructor"/],
  ['has a number for text', { image: 7 }, /image: expected text/],
  ['has text for a number', { image: 'a', limit: '3' }, /limit: expected a number/],
  ['has a fraction for an integer', { image: 'a', limit: 1.5 }, /limit: expected a whole number/],
  ['is below the limit', { image: 'a', limit: 0 }, /limit: expected at least 1/],
  ['is above the limit', { image: 'a', limit: 10 }, /limit: expected at most 9/],
  ['has a size that is none', { image: 'a', memory: 'lots' }, /memory: expected a size/],
  ['has a size that is too small', { image: 'a', memory: '1b' }, /memory: expected at least 1024/],
  ['has text for a list', { image: 'a', command: 'ls' }, /command: expected a list/],
  ['has a list of numbers for texts', { image: 'a', command: [1] }, /command: expected text/],
  ['has a null byte', { image: 'a\0b' }, /without null bytes/],
  ['has text for a boolean', { image: 'a', force: 'yes' }, /force: expected true or false/],
  ['has a filter without a key', { image: 'a', filter: ['=x'] }, /filter: expected a list of KEY=VALUE/],
  ['has a filter that is a map', { image: 'a', filter: { status: 'x' } }, /expected a list of KEY=VALUE/],
  ['is too large', { image: 'a'.repeat(300_000) }, /arguments are 300\d+ bytes/],
] as const) {
  test(`a call that ${why} is refused`, () => {
    assert.throws(() => checkArguments(fields, ['image'], given), { code: 'invalid', message });
  });
}

test('a parameter that is not there is answered with those that are', () => {
  assert.throws(() => checkArguments(fields, [], { cmd: [] }), {
    hint: 'the parameters are image, command, memory, cpus, limit, force, filter',
  });
});
