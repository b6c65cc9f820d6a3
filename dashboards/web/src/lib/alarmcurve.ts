/** Geometry of the curve that raised an alarm: axes, runs between gaps, the limit. Pure: no element is touched. */

import { localDate, localMinute, localParts } from './time';

export interface Box {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

export interface Axis {
  low: number;
  high: number;
  ticks: number[];
}

const NICE = [1, 2, 2.5, 5, 10];

/** A readable axis around the values and the limit; it begins at zero unless all of them are far from it. */
export function axisOf(values: readonly (number | null)[], limit: number | null, count = 5): Axis {
  const known = values.filter((value): value is number => value !== null);
  if (limit !== null) known.push(limit);
  if (known.length === 0) return { low: 0, high: 1, ticks: [0, 1] };
  let low = Math.min(...known);
  let high = Math.max(...known);
  if (low >= 0 && low < high * 0.75) low = 0;
  if (high <= 0 && high > low * 0.75) high = 0;
  if (low === high) {
    low -= Math.abs(low) * 0.1 || 1;
    high += Math.abs(high) * 0.1 || 1;
  }
  const room = (high - low) * 0.05;
  const rough = (high - low + room) / count;
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = (NICE.find((nice) => nice * unit >= rough) ?? 10) * unit;
  const first = Math.floor((low === 0 ? 0 : low - room) / step);
  const last = Math.ceil((high === 0 ? 0 : high + room) / step);
  const digits = Math.max(0, 1 - Math.floor(Math.log10(step)));
  const ticks = Array.from({ length: last - first + 1 }, (_, index) =>
    Number(((first + index) * step).toFixed(digits)),
  );
  return { low: ticks[0] ?? 0, high: ticks.at(-1) ?? 1, ticks };
}

const MINUTE = 60_000;
const SPACINGS = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 10_080, 43_200].map(
  (minutes) => minutes * MINUTE,
);

export interface TimeTick {
  ms: number;
  label: string;
}

/** Offset of a zone at an instant [ms]. */
function offset(timezone: string, ms: number): number {
  const { year, month, day, hour, minute, second } = localParts(timezone, ms);
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(ms / 1000) * 1000;
}

/** At most `count` ticks at round local times: minutes within a day, dates beyond. */
export function timeTicks(timezone: string, from: number, to: number, count: number): TimeTick[] {
  const spacing = SPACINGS.find((step) => (to - from) / step <= count) ?? (SPACINGS.at(-1) as number);
  const shift = offset(timezone, from);
  const ticks: TimeTick[] = [];
  for (let local = Math.ceil((from + shift) / spacing) * spacing; local - shift <= to; local += spacing) {
    const ms = local - shift;
    const label = spacing >= 1440 * MINUTE ? localDate(timezone, ms).slice(5) : localMinute(timezone, ms);
    ticks.push({ ms, label });
  }
  return ticks;
}

export type Scale = (value: number) => number;

export const scale =
  (from: number, to: number, start: number, end: number): Scale =>
  (value) =>
    to === from ? start : start + ((value - from) / (to - from)) * (end - start);

/** Line of each run between gaps; a value that stands alone is a short dash, so that it is seen. */
export function runs(points: readonly [number, number | null][], x: Scale, y: Scale): string {
  let path = '';
  let length = 0;
  points.forEach(([ms, value], index) => {
    if (value === null) {
      length = 0;
      return;
    }
    const at = `${x(ms).toFixed(1)} ${y(value).toFixed(1)}`;
    path += `${length === 0 ? 'M' : 'L'}${at}`;
    length += 1;
    const after = points[index + 1];
    if (length === 1 && (after === undefined || after[1] === null)) path += 'h2';
  });
  return path;
}

/** The known point that is nearest in time; null where none is known. */
export function nearest(points: readonly [number, number | null][], ms: number): number | null {
  let found: number | null = null;
  points.forEach(([at, value], index) => {
    if (value === null) return;
    const best = found === null ? undefined : points[found];
    if (best === undefined || Math.abs(at - ms) < Math.abs(best[0] - ms)) found = index;
  });
  return found;
}
