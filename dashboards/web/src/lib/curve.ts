/** Today's curve: what covered the load in each quarter of an hour, and what yesterday looked like at the same local time. */

import { localMinute } from './time';
import type { Method, Series } from './types';

export interface Slot {
  start: number;
  end: number;
  pv: number | null;
  discharge: number | null;
  grid: number | null;
  load: number | null;
  yesterday: number | null;
  /** True where any part is known only by interpolation, substitution or estimation. */
  estimated: boolean;
  /** Worst data state among the parts. */
  method: Method;
}

export interface Curve {
  day: { start: number; end: number };
  slots: Slot[];
  /** Load of the last 96 quarters up to the running one, oldest first: the small trend of a filtered tile. */
  recent: (number | null)[];
}

export interface CurveInput {
  load: Series;
  gridImport: Series | null;
  generation: Series | null;
  discharge: Series | null;
  charge: Series | null;
  export: Series | null;
  yesterday: Series | null;
}

interface Column {
  value: (start: number) => number | null;
  method: (start: number) => Method;
}

function column(series: Series | null, key?: string): Column {
  const group = series?.groups.find((item) => key === undefined || item.key === key);
  if (!series || !group) return { value: () => null, method: () => 'missing' };
  const index = new Map(series.starts.map((start, at) => [Date.parse(start), at]));
  return {
    value: (start) => {
      const at = index.get(start);
      return at === undefined ? null : (group.values[at] ?? null);
    },
    method: (start) => {
      const at = index.get(start);
      return at === undefined ? 'missing' : (group.method[at] ?? 'missing');
    },
  };
}

const STATES: readonly Method[] = [
  'missing',
  'measured',
  'interpolated',
  'substituted',
  'estimated',
  'manual',
];

/** Of two states the one to warn of; a part that the park does not have says nothing. */
function worse(a: Method, b: Method): Method {
  return STATES.indexOf(a) >= STATES.indexOf(b) ? a : b;
}

/**
 * Share of the load met by PV, battery and grid [kW]; together they are the load.
 *
 * Charging and export are counted against PV first: that is the order in which a park behind one gate meter uses it, and it
 * makes the PV area the self-used part. What is unknown stays unknown: a missing grid meter does not become zero.
 */
export function supply(
  load: number | null,
  generation: number | null,
  discharge: number | null,
  charge: number | null,
  exported: number | null,
): { pv: number | null; discharge: number | null; grid: number | null } {
  if (load === null) return { pv: null, discharge: null, grid: null };
  const pv = Math.min(load, Math.max(0, (generation ?? 0) - (exported ?? 0) - (charge ?? 0)));
  const battery = Math.min(load - pv, Math.max(0, discharge ?? 0));
  return {
    pv: generation === null ? null : pv,
    discharge: discharge === null ? null : battery,
    grid: load - pv - battery,
  };
}

export interface CurveOptions {
  timezone: string;
  day: { start: number; end: number };
  /** Series key of the tenant that the page is filtered to. */
  key?: string | undefined;
  /** Server time [ms UTC]. */
  now: number;
}

export function curve(input: CurveInput, options: CurveOptions): Curve {
  const { day, timezone, key } = options;
  const step = input.load.step_s * 1000;
  const load = column(input.load, key);
  const parts = [input.generation, input.discharge, input.charge, input.export, input.gridImport].map(
    (item) => column(item),
  );
  const [generation, discharge, charge, exported, gridImport] = parts as [
    Column,
    Column,
    Column,
    Column,
    Column,
  ];
  const ghost = ghostByMinute(input.yesterday, timezone, key);
  const slots: Slot[] = [];
  for (let start = day.start; start < day.end; start += step) {
    const total = load.value(start);
    const split = key
      ? { pv: null, discharge: null, grid: total }
      : supply(
          total,
          generation.value(start),
          discharge.value(start),
          charge.value(start),
          exported.value(start),
        );
    const methods = key ? [load.method(start)] : [load.method(start), gridImport.method(start)];
    const method = methods.reduce(worse);
    slots.push({
      start,
      end: start + step,
      ...split,
      load: total,
      yesterday: ghost.get(localMinute(timezone, start)) ?? null,
      estimated: total !== null && method !== 'measured' && method !== 'missing',
      method,
    });
  }
  const before = column(input.yesterday, key);
  const recent = Array.from({ length: 96 }, (_, index) => {
    const start = Math.floor(options.now / step) * step - (95 - index) * step;
    return start < day.start ? before.value(start) : load.value(start);
  });
  return { day, slots, recent };
}

/** Yesterday's load by local time of day; of a doubled hour the first passage counts. */
function ghostByMinute(series: Series | null, timezone: string, key?: string): Map<string, number | null> {
  const ghost = new Map<string, number | null>();
  const group = series?.groups.find((item) => key === undefined || item.key === key);
  if (!series || !group) return ghost;
  series.starts.forEach((start, at) => {
    const minute = localMinute(timezone, Date.parse(start));
    if (!ghost.has(minute)) ghost.set(minute, group.values[at] ?? null);
  });
  return ghost;
}

/** Step geometry of one value per slot: both ends of each slot, so that gaps and 25 h days draw right. */
export function steps(
  slots: readonly Slot[],
  pick: (slot: Slot) => number | null,
): [number, number | null][] {
  return slots.flatMap((slot): [number, number | null][] => [
    [slot.start, pick(slot)],
    [slot.end - 1, pick(slot)],
  ]);
}

/** Largest value of the day, rounded up to a readable axis end. */
export function axisTop(slots: readonly Slot[]): number {
  let top = 0;
  for (const slot of slots) top = Math.max(top, slot.load ?? 0, slot.yesterday ?? 0);
  if (top <= 0) return 1;
  const unit = 10 ** Math.floor(Math.log10(top));
  for (const step of [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10]) if (top <= step * unit) return step * unit;
  return 10 * unit;
}
