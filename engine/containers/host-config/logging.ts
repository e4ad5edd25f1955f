import { BerthError } from '../../api/errors.ts';
import type { LogConfig } from '../../api/wire/host-config.ts';
import { parseLogSize } from '../log-config.ts';

/** The names under which clients ask for the engine's one log, and none at all. */
const drivers = ['json-file', 'local', 'k8s-file', 'none'];
/** Name labels and variables of the container: `logs --details` shows them. Docker's `local` has none of them. */
const detailOptions = ['labels', 'labels-regex', 'env', 'env-regex'];
/** What docker's drivers take beside those, and would have to be ignored here. */
const notActedOn = ['compress', 'tag', 'mode', 'max-buffer-size'];
/** Values of those that say what is so anyway. */
const harmless = ['compress=false', 'mode=blocking'];

/** Checks driver and options of a container's log. Throws `invalid`, or `unsupported` for what docker has and Berth has not. */
export function checkLogConfig(config: LogConfig | null | undefined): void {
  const driver = config?.Type || 'json-file';
  if (!drivers.includes(driver)) {
    throw new BerthError('unsupported', `the log driver '${driver}' is not supported`, {
      hint: 'use json-file, local, k8s-file or none',
    });
  }
  const options = config?.Config ?? {};
  if (driver === 'none' && Object.keys(options).length > 0)
    throw new BerthError('invalid', 'invalid logging opts for driver none', { hint: 'leave them out' });
  for (const [name, value] of Object.entries(options)) checkOption(driver, name, value);
  const unlimited = driver !== 'local' && options['max-size'] === undefined;
  if (Number(options['max-file'] ?? 1) > 1 && unlimited)
    throw new BerthError('invalid', `max-file ${options['max-file']} means nothing without max-size`);
}

function checkOption(driver: string, name: string, value: string): void {
  const wrong = (hint: string) =>
    new BerthError('invalid', `invalid value '${value}' for the log option ${name}`, { hint });
  if (name === 'max-size') {
    if (value !== '-1' && !((parseLogSize(value) ?? 0) > 0))
      throw wrong('write a size as in 10m, or -1 for no limit');
  } else if (name === 'max-file') {
    if (!/^[1-9]\d{0,3}$/.test(value)) throw wrong('write how many files to keep, 1 to 9999');
  } else if (detailOptions.includes(name) && driver !== 'local') {
    if (name.endsWith('-regex') && !isPattern(value)) throw wrong('write a regular expression');
  } else if (!notActedOn.includes(name)) {
    throw new BerthError('invalid', `unknown log opt '${name}' for ${driver} log driver`, {
      hint: `use max-size, max-file${driver === 'local' ? '' : `, ${detailOptions.join(', ')}`}`,
    });
  } else if (!harmless.includes(`${name}=${value}`)) {
    throw new BerthError('unsupported', `the log option ${name} is not supported: '${value}'`, {
      hint: 'leave it out',
    });
  }
}

function isPattern(text: string): boolean {
  try {
    new RegExp(text);
    return true;
  } catch {
    return false;
  }
}
