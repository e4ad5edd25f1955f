/** Twelve digits of an id: what people and tools call a container by. */
export function shortId(id: string): string {
  return id.replace(/^sha256:/, '').slice(0, 12);
}

/** A container's name without the slash that the Engine API puts before it. */
export function bareName(name: string): string {
  return name.replace(/^\//, '');
}
