/** Which part of a log is seen: its end as it grows, or the lines from `top` on. */
export type LogScroll = { readonly follow: true } | { readonly follow: false; readonly top: number };

/** The first line to show, for so many rows. */
export function topLine(scroll: LogScroll, log: { first: number; end: number; height: number }): number {
  const lowest = Math.max(log.first, log.end - log.height);
  if (scroll.follow) return lowest;
  return Math.max(log.first, Math.min(scroll.top, lowest));
}

/** Scrolls by so many lines. At the end it follows again. */
export function scrollLog(
  scroll: LogScroll,
  log: { first: number; end: number; height: number },
  by: number,
): LogScroll {
  const lowest = Math.max(log.first, log.end - log.height);
  const top = Math.max(log.first, topLine(scroll, log) + by);
  return top >= lowest ? { follow: true } : { follow: false, top };
}
