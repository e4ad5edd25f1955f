import { BerthError } from '../../api/errors.ts';
import { parseSize } from '../../api/sizes.ts';
import type { LogConfig } from '../../api/wire/host-config.ts';

/** The names under which clients ask for the engine's one log, and none at all. */
const drivers = ['', 'json-file', 'local', 'k8s-file', 'none'];
/** What docker's drivers take beside those two, and would have to be ignored here. */
const notActedOn = [
  'compress',
  'labels',
  'labels-regex',
  'env',
  'env-regex',
  'tag',
  'mode',
  'max-buffer-size',
];

/** Checks driver and options of a container's log. Throws `invalid`, or `unsupported` for what docker has and Berth has not. */
export function checkLogConfig(config: LogConfig | null | undefined): void {
  const driver = config?.Type ?? '';
  if (!drivers.includes(driver)) {
    throw new BerthError('unsupported', `the log driver '${driver}' is not supported`, {
      hint: 'use json-file, local, k8s-file or none',
    });
  }
  const options = config?.Config ?? {};
  for (const [name, value] of Object.entries(options)) {
    if (name === 'max-size') checkMaxSize(value);
    else if (name === 'max-file') checkMaxFile(value);
    else if (notActedOn.includes(name)) {
      throw new BerthError('unsupported', `the log option ${name} is not supported: '${value}'`, {
        hint: 'use max-size and max-file',
      });
    } else {
      throw new BerthError('invalid', `unknown log opt '${name}' for ${driver || 'json-file'} log driver`, {
        hint: 'use max-size and max-file',
      });
    }
  }
  if (Number(options['max-file'] ?? 1) > 1 && options['max-size'] === undefined) {
    throw new BerthError('invalid', `max-file ${options['max-file']} means nothing without max-size`);
  }
}

function checkMaxSize(value: string): void {
  if (value === '-1') return;
  try {
    if (parseSize(value) > 0) return;
  } catch {
    // Said below.
  }
  throw new BerthError('invalid', `invalid value '${value}' for the log option max-size`, {
    hint: 'write a size as in 10m, or -1 for no limit',
  });
}

function checkMaxFile(value: string): void {
  if (/^[1-9]\d{0,5}$/.test(value)) return;
  throw new BerthError('invalid', `invalid value '${value}' for the log option max-file`, {
    hint: 'write how many files to keep, 1 or more',
  });
}
