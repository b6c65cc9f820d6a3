import { describe, expect, it } from 'vitest';
import { freshness, serverNow } from '../src/lib/stale';

describe('server time', () => {
  const anchor = { serverMs: 1_000_000, wallMs: 50, monotonicMs: 10 };
  it('advances with this machine’s clocks, however wrong they are', () => {
    expect(serverNow(anchor, 5_050, 5_010)).toBe(1_005_000);
  });
  it('takes the larger step: a sleeping monotonic clock does not keep data young', () => {
    expect(serverNow(anchor, 60_050, 1_010)).toBe(1_060_000);
  });
  it('does not run backwards when the wall clock is set back', () => {
    expect(serverNow(anchor, -900_000, 2_010)).toBe(1_002_000);
    expect(serverNow(anchor, -900_000, 10)).toBe(1_000_000);
  });
});

describe('freshness', () => {
  it('turns stale after 30 s and not before', () => {
    expect(freshness(1_000, 31_000)).toBe('live');
    expect(freshness(1_000, 31_001)).toBe('stale');
    expect(freshness(null, 31_000)).toBe('none');
  });
});
