/** Credentials as a request carries them; padded, for dockerd reads no other. */
export const registryHeader = (value: object) => ({
  'x-registry-auth': Buffer.from(JSON.stringify(value))
    .toString('base64')
    .replaceAll('+', '-')
    .replaceAll('/', '_'),
});
