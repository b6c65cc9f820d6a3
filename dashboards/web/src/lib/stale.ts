/** When is what the page shows still live? Judged on the server's clock, so a wrong clock here does not matter. */

export const STALE_AFTER_MS = 30_000;

/** A server time stamp and this machine's two clocks when it arrived. */
export interface Anchor {
  serverMs: number;
  wallMs: number;
  monotonicMs: number;
}

/**
 * Server time now: the anchor plus what has passed since. A monotonic clock may stop while a laptop sleeps, and a wall clock
 * may be set back, so the larger difference counts: data may look older than it is for a moment, never younger.
 */
export function serverNow(anchor: Anchor, wallMs: number, monotonicMs: number): number {
  return anchor.serverMs + Math.max(0, wallMs - anchor.wallMs, monotonicMs - anchor.monotonicMs);
}

export type Freshness = 'none' | 'live' | 'stale';

export function freshness(dataAsOf: number | null, nowMs: number): Freshness {
  if (dataAsOf === null) return 'none';
  return nowMs - dataAsOf > STALE_AFTER_MS ? 'stale' : 'live';
}
