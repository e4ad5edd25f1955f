/** System errors that an entry's own name or target brings about; all others are this machine's, or of what is there. */
export const ENTRY_ERRORS: readonly string[] = [
  'ENAMETOOLONG',
  'ELOOP',
  'ENOENT',
  'EEXIST',
  'EISDIR',
  'ENOTDIR',
  'EINVAL',
  'ENOTEMPTY',
  // Names and values of attributes.
  'ERANGE',
  'E2BIG',
];
