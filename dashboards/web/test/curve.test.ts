import { describe, expect, it } from 'vitest';
import { axisTop, type CurveInput, curve, steps, supply } from '../src/lib/curve';
import { localDay } from '../src/lib/time';
import type { Method, Series } from '../src/lib/types';

const QUARTER = 900_000;

function series(
  start: number,
  values: (number | null)[],
  method: Method = 'measured',
  key = 'total',
): Series {
  return {
    metric: 'load_kw',
    unit: 'kW',
    step_s: 900,
    from: new Date(start).toISOString(),
    to: new Date(start + values.length * QUARTER).toISOString(),
    starts: values.map((_, index) => new Date(start + index * QUARTER).toISOString()),
    groups: [
      {
        key,
        name: null,
        values,
        coverage: values.map((value) => (value === null ? 0 : 1)),
        method: values.map((value) => (value === null ? 'missing' : method)),
      },
    ],
  };
}

const only = (load: Series, yesterday: Series | null = null): CurveInput => ({
  load,
  gridImport: null,
  generation: null,
  discharge: null,
  charge: null,
  export: null,
  yesterday,
});

describe('what covers the load', () => {
  it.each([
    // load, generation, discharge, charge, export
    [100, 40, 0, 0, 0],
    [100, 40, 10, 0, 0],
    [100, 140, 0, 30, 10],
    [100, 150, 0, 0, 50],
    [100, 0, 120, 0, 20],
    [100, 20, 0, 60, 0],
    [0, 20, 0, 0, 20],
  ])('adds up to it: load %d, generation %d, discharge %d, charge %d, export %d', (...input) => {
    const parts = supply(...input);
    expect((parts.pv ?? 0) + (parts.discharge ?? 0) + (parts.grid ?? 0)).toBeCloseTo(input[0], 9);
    for (const part of [parts.pv, parts.discharge, parts.grid]) expect(part).toBeGreaterThanOrEqual(0);
  });
  it('counts only self-used generation', () => {
    expect(supply(100, 150, 0, 0, 50).pv).toBe(100);
    expect(supply(100, 90, 0, 30, 0).pv).toBe(60);
  });
  it('is unknown where the load is', () => {
    expect(supply(null, 40, 0, 0, 0)).toEqual({ pv: null, discharge: null, grid: null });
    expect(supply(100, null, 0, 0, 0).pv).toBeNull();
  });
});

describe('days', () => {
  const zone = 'Europe/London';
  const long = localDay(zone, Date.parse('2026-10-25T12:00:00Z'));
  const short = localDay(zone, Date.parse('2026-03-29T12:00:00Z'));

  it('have 100 and 92 quarters when the clock changes', () => {
    const empty = series(long.start, []);
    expect(curve(only(empty), { timezone: zone, day: long, now: long.start }).slots).toHaveLength(100);
    expect(curve(only(empty), { timezone: zone, day: short, now: short.start }).slots).toHaveLength(92);
  });

  it('show yesterday at the same local time, across a change of the clock', () => {
    const before = localDay(zone, long.start - 1);
    const ghost = series(
      before.start,
      Array.from({ length: 96 }, (_, index) => index),
    );
    const { slots } = curve(only(series(long.start, []), ghost), {
      timezone: zone,
      day: long,
      now: long.start,
    });
    expect(slots.slice(0, 8).map((slot) => slot.yesterday)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(slots.slice(8, 12).map((slot) => slot.yesterday)).toEqual([4, 5, 6, 7]); // the hour that comes twice
    expect(slots.at(-1)?.yesterday).toBe(95);
  });

  it('show today after a 25 h day without shifting', () => {
    const next = localDay(zone, long.end);
    const ghost = series(
      long.start,
      Array.from({ length: 100 }, (_, index) => index),
    );
    const { slots } = curve(only(series(next.start, []), ghost), {
      timezone: zone,
      day: next,
      now: next.start,
    });
    expect(slots.at(-1)?.yesterday).toBe(99);
    expect(slots[4]?.yesterday).toBe(4); // 01:00 as it came first
  });
});

describe('gaps and estimates', () => {
  const zone = 'Asia/Shanghai';
  const day = localDay(zone, Date.parse('2026-11-21T06:00:00Z'));

  it('leave a gap where data are missing', () => {
    const { slots } = curve(only(series(day.start, [5, null, 7])), { timezone: zone, day, now: day.start });
    expect(slots.slice(0, 4).map((slot) => slot.load)).toEqual([5, null, 7, null]);
    expect(slots[1]?.grid).toBeNull();
    expect(steps(slots.slice(0, 2), (slot) => slot.load)).toEqual([
      [day.start, 5],
      [day.start + QUARTER - 1, 5],
      [day.start + QUARTER, null],
      [day.start + 2 * QUARTER - 1, null],
    ]);
  });

  it('mark what is not measured', () => {
    const input = only(series(day.start, [5, 6]));
    input.gridImport = series(day.start, [5, 6], 'interpolated');
    const { slots } = curve(input, { timezone: zone, day, now: day.start });
    expect(slots[0]).toMatchObject({ estimated: true, method: 'interpolated' });
    expect(slots[2]?.estimated).toBe(false);
  });

  it('follow one tenant', () => {
    const load = series(day.start, [5, 6], 'measured', 'a');
    load.groups.push({
      key: 'b',
      name: null,
      values: [50, 60],
      coverage: [1, 1],
      method: ['measured', 'estimated'],
    });
    const { slots, recent } = curve(only(load), { timezone: zone, day, key: 'b', now: day.start + QUARTER });
    expect(slots.slice(0, 2).map((slot) => slot.load)).toEqual([50, 60]);
    expect(slots[1]?.estimated).toBe(true);
    expect(recent).toHaveLength(96);
    expect(recent.slice(-3)).toEqual([null, 50, 60]);
  });
});

describe('the axis', () => {
  it('ends at a readable value above the peak', () => {
    const slots = (load: number) =>
      curve(only(series(0, [load])), { timezone: 'UTC', day: { start: 0, end: QUARTER }, now: 0 }).slots;
    expect(axisTop(slots(1306))).toBe(1500);
    expect(axisTop(slots(100))).toBe(100);
    expect(axisTop(slots(0.9))).toBe(1);
    expect(axisTop(slots(0))).toBe(1);
  });
});
