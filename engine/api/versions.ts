/** The newest version of the Docker Engine API that is served, and the oldest. */
export const API_VERSION = '1.47';
export const MIN_API_VERSION = '1.24';
