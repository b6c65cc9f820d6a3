import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Channel, Live, type LiveSource } from '../src/lib/live';
import type { Now } from '../src/lib/types';

class Source implements LiveSource {
  readyState = 0;
  closed = false;
  private readonly listeners = new Map<string, ((event: MessageEvent<string>) => void)[]>();
  addEventListener(type: string, listener: (event: MessageEvent<string>) => void): void {
    this.listeners.set(type, [...(this.listeners.get(type) ?? []), listener]);
  }
  close(): void {
    this.readyState = 2;
    this.closed = true;
  }
  say(type: string, data = '{}'): void {
    if (type === 'open') this.readyState = 1;
    for (const listener of this.listeners.get(type) ?? []) listener({ data } as MessageEvent<string>);
  }
}

function stage() {
  const sources: Source[] = [];
  const seen: { now: Now[]; channel: Channel[]; refused: number } = { now: [], channel: [], refused: 0 };
  const poll = vi.fn(async (): Promise<Now> => ({ park: 'polled' }) as Now);
  const live = new Live(
    {
      open: () => {
        const source = new Source();
        sources.push(source);
        return source;
      },
      poll,
      monotonicMs: () => Date.now(),
    },
    {
      now: (now) => seen.now.push(now),
      channel: (channel) => seen.channel.push(channel),
      refused: () => {
        seen.refused += 1;
      },
    },
  );
  return { live, sources, seen, poll };
}

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

describe('the live connection', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('passes events on and does not poll while the stream speaks', async () => {
    const { live, sources, seen, poll } = stage();
    live.start();
    sources[0]?.say('open');
    for (let beat = 0; beat < 12; beat++) {
      sources[0]?.say('now', '{"park":"demo"}');
      await pass(5_000);
    }
    expect(seen.now).toHaveLength(12);
    expect(seen.channel.at(-1)).toBe('stream');
    expect(poll).not.toHaveBeenCalled();
    expect(sources).toHaveLength(1);
    live.stop();
  });

  it('opens a new stream when the old one falls silent, and polls meanwhile', async () => {
    const { live, sources, seen, poll } = stage();
    live.start();
    sources[0]?.say('open');
    await pass(30_000);
    expect(sources[0]?.closed).toBe(true);
    expect(sources.length).toBeGreaterThan(1);
    expect(poll.mock.calls.length).toBeGreaterThanOrEqual(2);
    expect(seen.channel).toContain('poll');
    sources.at(-1)?.say('open');
    sources.at(-1)?.say('now', '{"park":"demo"}');
    expect(seen.channel.at(-1)).toBe('stream');
    live.stop();
  });

  it('recovers by itself from a stream refused with an HTTP error', async () => {
    const { live, sources } = stage();
    live.start();
    const first = sources[0];
    if (first) first.readyState = 2;
    first?.say('error');
    await pass(4_000);
    expect(sources.length).toBeGreaterThanOrEqual(2);
    live.stop();
  });

  it('backs off while the server stays away', async () => {
    const { live, sources, poll } = stage();
    poll.mockRejectedValue(new Error('away'));
    live.start();
    for (let second = 0; second < 120; second++) {
      const newest = sources.at(-1);
      if (newest) newest.readyState = 2;
      await pass(1_000);
    }
    expect(sources.length).toBeGreaterThan(5);
    expect(sources.length).toBeLessThan(14);
    live.stop();
  });

  it('says so when neither way works, and reports a lost session', async () => {
    const { live, sources, seen, poll } = stage();
    poll.mockRejectedValue(Object.assign(new Error('no'), { status: 401 }));
    live.start();
    sources[0]?.say('error');
    await pass(6_000);
    expect(seen.channel.at(-1)).toBe('down');
    expect(seen.refused).toBeGreaterThan(0);
    live.stop();
  });

  it('ignores what a replaced stream still says, and everything after stop', async () => {
    const { live, sources, seen } = stage();
    live.start();
    sources[0]?.say('open');
    await pass(30_000);
    const count = seen.now.length;
    sources[0]?.say('now', '{"park":"late"}');
    expect(seen.now).toHaveLength(count);
    live.stop();
    await pass(60_000);
    expect(sources.every((source) => source.closed)).toBe(true);
  });
});
