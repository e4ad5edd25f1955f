import { boolean, filters, integer, string } from '../fields.ts';

/** Parameters that several operations and faces share. */
export const shared = {
  all: boolean('Show all, not just the running ones', { short: 'a' }),
  filter: filters('Keep only what matches, as in status=exited', {
    wire: 'filters',
    short: 'f',
    placeholder: 'KEY=VALUE',
  }),
  tail: string('Lines to show from the end of the log, or all', {
    short: 'n',
    pattern: /^(all|-1|\d+)$/,
    placeholder: 'N',
  }),
  timeout: integer('Seconds to wait before killing it; -1 waits for ever', {
    wire: 't',
    short: 't',
    min: -1,
    max: 2 ** 31,
  }),
  signal: string('Signal to send, by name or number', { short: 's', placeholder: 'SIGNAL' }),
  since: string('Only what came after this moment: a time, seconds since 1970, or 10m', {
    placeholder: 'TIME',
  }),
  until: string('Only what came before this moment: a time, seconds since 1970, or 10m', {
    placeholder: 'TIME',
  }),
  platform: string('Operating system and processor, as in linux/arm64', { placeholder: 'OS/ARCH' }),
} as const;
