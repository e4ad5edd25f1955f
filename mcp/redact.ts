/** What stands in place of a secret. */
export const REDACTED = '[redacted]';

/** Words that make a variable's name that of a secret, alone or among others. */
const SECRET_WORDS = new Set([
  'password', 'passwd', 'passphrase', 'pass', 'pw', 'secret', 'secrets', 'token', 'credential', 'credentials',
  'apikey', 'accesskey', 'secretkey', 'privatekey', 'jwt', 'auth', 'bearer', 'cookie', 'dsn', 'pat',
]); // biome-ignore format: a table
/** Words before `key` that make it one. */
const KEY_WORDS = new Set([
  'api',
  'access',
  'secret',
  'private',
  'signing',
  'encryption',
  'master',
  'account',
  'ssh',
  'deploy',
  'license',
]);
/** Whole names that are no secrets, though a word in them is. */
const HARMLESS_NAMES = new Set(['PWD', 'OLDPWD', 'SSH_AUTH_SOCK', 'XAUTHORITY']);
const HARMLESS_VALUE = /^(?:|true|false|yes|no|on|off|none|null|\d{1,5})$/i;

/** Shapes of tokens, whatever they are called. */
const SECRET_SHAPES = new RegExp(
  [
    String.raw`\bgh[pousr]_[A-Za-z0-9]{20,}`,
    String.raw`\bgithub_pat_\w{20,}`,
    String.raw`\bglpat-[\w-]{16,}`,
    String.raw`\b(?:AKIA|ASIA)[0-9A-Z]{16}\b`,
    String.raw`\bsk-[\w-]{16,}`,
    String.raw`\b[sr]k_(?:live|test)_[A-Za-z0-9]{10,}`,
    String.raw`\bxox[abeoprs]-[\w-]{10,}`,
    String.raw`\bAIza[\w-]{30,}`,
    String.raw`\bnpm_[A-Za-z0-9]{30,}`,
    String.raw`\bhf_[A-Za-z0-9]{20,}`,
    String.raw`\bey[JK][\w-]{8,}\.[\w-]{8,}\.[\w-]*`,
    String.raw`-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)`,
  ].join('|'),
  'g',
);
/** The password in `scheme://user:password@host`. */
const URL_PASSWORD = /\b([a-z][a-z0-9+.-]*:\/\/[^\s:/@]*:)[^\s@/]+(?=@)/gi;
/** `--password=x`, `token: x`, `SECRET=x` inside a longer text. */
const ASSIGNED = /(?<![A-Za-z0-9_-])(-{0,2}[A-Za-z][\w.-]*)(=|:\s?)("[^"]*"|'[^']*'|[^\s"'&;]+)/g;

/**
 * Whether a variable or label of this name holds a secret: by its words, so that `TOKENIZERS_PARALLELISM` and
 * `KEYBOARD` are shown. A name that ends in `_FILE` points at a secret and is none.
 */
export function isSecretName(name: string): boolean {
  if (HARMLESS_NAMES.has(name)) return false;
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .split(/[^a-z0-9]+/);
  if (words.at(-1) === 'file' || words.at(-1) === 'path') return false;
  return words.some(
    (word, at) =>
      SECRET_WORDS.has(word) ||
      (word === 'pwd' && words.length > 1) ||
      ((word === 'key' || word === 'keys') && at > 0 && KEY_WORDS.has(words[at - 1] ?? '')),
  );
}

/** A `NAME=VALUE` with the value replaced where it looks like a secret. */
export function redactVariable(variable: string): string {
  const equals = variable.indexOf('=');
  if (equals < 0) return variable;
  const name = variable.slice(0, equals);
  return `${name}=${redactValue(name, variable.slice(equals + 1))}`;
}

/** The value of a variable or label, replaced where its name or its shape is that of a secret. */
export function redactValue(name: string, value: string): string {
  if (isSecretName(name) && !HARMLESS_VALUE.test(value)) return REDACTED;
  return redactText(value);
}

/** A text with what looks like secrets replaced: tokens by their shape, passwords in URLs and assignments. */
export function redactText(text: string): string {
  return text
    .replace(SECRET_SHAPES, REDACTED)
    .replace(URL_PASSWORD, `$1${REDACTED}`)
    .replace(ASSIGNED, (whole, name: string, sign: string, value: string) =>
      isSecretName(name) && !HARMLESS_VALUE.test(value) ? `${name}${sign}${REDACTED}` : whole,
    );
}

/** A command line with secrets replaced, the argument after a bare `--password` too. */
export function redactCommand(command: readonly string[]): readonly string[] {
  return command.map((argument, at) => {
    const before = command[at - 1];
    const named = before !== undefined && /^--?[A-Za-z][\w-]*$/.test(before) && isSecretName(before);
    return named && !argument.startsWith('-') ? REDACTED : redactText(argument);
  });
}
