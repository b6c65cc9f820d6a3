import { describe, expect, it } from 'vitest';
import {
  addDays,
  age,
  hourTicks,
  localClock,
  localDate,
  localDay,
  localMinute,
  previousLocalDay,
} from '../src/lib/time';

const HOUR = 3_600_000;
const at = (text: string) => Date.parse(text);

describe('local days', () => {
  it.each([
    ['Asia/Shanghai', '2026-11-21T06:32:05Z', '2026-11-20T16:00:00Z', 24],
    ['Europe/London', '2026-10-25T12:00:00Z', '2026-10-24T23:00:00Z', 25],
    ['Europe/London', '2026-03-29T12:00:00Z', '2026-03-29T00:00:00Z', 23],
    ['America/Santiago', '2026-09-06T12:00:00Z', '2026-09-06T04:00:00Z', 23], // midnight itself does not exist
    ['Australia/Lord_Howe', '2026-10-04T12:00:00Z', '2026-10-03T13:30:00Z', 23.5],
    ['Asia/Kathmandu', '2026-11-21T06:32:05Z', '2026-11-20T18:15:00Z', 24],
    ['Pacific/Kiritimati', '2026-11-21T06:32:05Z', '2026-11-20T10:00:00Z', 24],
    ['Etc/GMT+12', '2026-11-21T06:32:05Z', '2026-11-20T12:00:00Z', 24],
  ])('of %s at %s begin at %s and last %d h', (zone, instant, start, hours) => {
    const day = localDay(zone, at(instant));
    expect(new Date(day.start).toISOString()).toBe(new Date(start).toISOString());
    expect((day.end - day.start) / HOUR).toBe(hours);
  });

  it('hold their first instant and not their end', () => {
    const day = localDay('Europe/London', at('2026-10-25T12:00:00Z'));
    expect(localDay('Europe/London', day.start)).toEqual(day);
    expect(localDay('Europe/London', day.end - 1)).toEqual(day);
    expect(localDay('Europe/London', day.end).start).toBe(day.end);
  });

  it('follow each other without gap', () => {
    const today = localDay('Europe/London', at('2026-10-26T12:00:00Z'));
    const before = previousLocalDay('Europe/London', at('2026-10-26T12:00:00Z'));
    expect(before.end).toBe(today.start);
    expect((before.end - before.start) / HOUR).toBe(25);
  });
});

describe('the axis of a day', () => {
  it('labels local hours once each, also when one comes twice', () => {
    const day = localDay('Europe/London', at('2026-10-25T12:00:00Z'));
    const ticks = hourTicks('Europe/London', day, 3);
    expect(ticks.map((tick) => tick.label)).toEqual(['00', '03', '06', '09', '12', '15', '18', '21', '24']);
    expect((ticks[1]?.ms ?? 0) - day.start).toBe(4 * HOUR);
    expect(ticks.at(-1)?.ms).toBe(day.end);
  });
  it('skips the hour that does not exist', () => {
    const day = localDay('Europe/London', at('2026-03-29T12:00:00Z'));
    expect(hourTicks('Europe/London', day, 1).map((tick) => tick.label)).not.toContain('01');
  });
});

describe('clocks', () => {
  it('are the park’s, whatever the machine’s', () => {
    const instant = at('2026-11-21T16:05:09Z');
    expect(localClock('Asia/Shanghai', instant)).toBe('00:05:09');
    expect(localMinute('Asia/Shanghai', instant)).toBe('00:05');
    expect(localDate('Asia/Shanghai', instant)).toBe('2026-11-22');
  });
  it('count days by the calendar', () => {
    expect(addDays('2026-12-31', 1)).toBe('2027-01-01');
    expect(addDays('2028-03-01', -1)).toBe('2028-02-29');
  });
});

describe('age', () => {
  it.each([
    [-5, 0, 's'],
    [59_999, 59, 's'],
    [60_000, 1, 'min'],
    [191_000, 3, 'min'],
    [2 * HOUR, 2, 'h'],
    [50 * HOUR, 2, 'd'],
  ])('%d ms is %d %s', (ms, count, unit) => expect(age(ms)).toEqual({ count, unit }));
});
