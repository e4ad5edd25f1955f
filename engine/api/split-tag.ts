/** `REPOSITORY[:TAG]` in its two parts, as the Engine API takes them; a colon before a slash is a port's. */
export function splitTag(text: string | undefined): { readonly repo?: string; readonly tag?: string } {
  if (text === undefined) return {};
  const colon = text.lastIndexOf(':');
  if (colon <= text.lastIndexOf('/')) return { repo: text };
  return { repo: text.slice(0, colon), tag: text.slice(colon + 1) };
}
