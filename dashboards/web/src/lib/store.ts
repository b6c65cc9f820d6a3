/** What the page knows, as signals, and the loops that keep it fresh. */

import { batch, computed, signal } from '@preact/signals';
import { ApiError, api } from './api';
import { type Curve, type CurveInput, curve } from './curve';
import { type Channel, Live } from './live';
import { type Anchor, freshness, serverNow } from './stale';
import { localDay, previousLocalDay } from './time';
import type { Device, FigureName, Now, Park, Series } from './types';

export type Session = 'unknown' | 'out' | 'in';

export const session = signal<Session>('unknown');
export const parks = signal<Park[]>([]);
export const parkName = signal<string | null>(null);
export const now = signal<Now | null>(null);
export const devices = signal<Device[]>([]);
export const channel = signal<Channel>('down');
export const failed = signal(false);
/** The tenant that the page is filtered to. */
export const tenant = signal<string | null>(null);

export type CurveState = { kind: 'loading' } | { kind: 'failed' } | { kind: 'ready'; curve: Curve };
export const today = signal<CurveState>({ kind: 'loading' });

export type Sheet =
  | { kind: 'working'; figure: FigureName; tenant?: string }
  | { kind: 'device'; device: string };
export const sheet = signal<Sheet | null>(null);

export const park = computed(() => parks.value.find((item) => item.park === parkName.value) ?? null);
export const timezone = computed(() => park.value?.timezone ?? 'UTC');
export const chosenTenant = computed(
  () => park.value?.tenants.find((item) => item.tenant === tenant.value) ?? null,
);

/** True until the first reading of the park has been committed. */
export const empty = computed(() => park.value?.empty === true && (now.value?.data_as_of ?? null) === null);

/**
 * Whether there is anything to show, apart from what: who lays the page out must not be drawn anew with each event. (Parents
 * that are, above children that draw themselves, also keep old trees alive: half a kilobyte an event when measured.)
 */
export const hasNow = computed(() => now.value !== null);
export const hasDevices = computed(() => devices.value.length > 0);

const anchor = signal<Anchor | null>(null);
const tickWall = signal(Date.now());

/** Server time [ms UTC], advancing every second. */
export const clock = computed(() => {
  const base = anchor.value;
  return base ? serverNow(base, tickWall.value, performance.now()) : tickWall.value;
});
export const dataAsOf = computed(() => {
  const stamp = now.value?.data_as_of;
  return stamp ? Date.parse(stamp) : null;
});
export const fresh = computed(() => freshness(dataAsOf.value, clock.value));

function receive(answer: Now): void {
  if (answer.park !== parkName.peek()) return;
  const known = now.peek();
  if (known && known.park === answer.park && Date.parse(answer.at) < Date.parse(known.at)) return;
  batch(() => {
    anchor.value = { serverMs: Date.parse(answer.at), wallMs: Date.now(), monotonicMs: performance.now() };
    tickWall.value = Date.now();
    now.value = answer;
    failed.value = false;
  });
}

let live: Live | null = null;
let generation = 0;
const timers: ReturnType<typeof setInterval>[] = [];

export async function start(): Promise<void> {
  setInterval(() => {
    tickWall.value = Date.now();
  }, 1000);
  await loadParks();
}

export async function loadParks(): Promise<void> {
  try {
    const list = await api.parks();
    const wanted = parkName.peek() ?? new URLSearchParams(location.search).get('park');
    const first = list.find((item) => item.park === wanted) ?? list[0];
    batch(() => {
      parks.value = list;
      session.value = 'in';
      failed.value = false;
    });
    openPark(first?.park ?? null);
  } catch (error) {
    if (error instanceof ApiError && (error.status === 401 || error.status === 403)) signedOut();
    else {
      failed.value = true;
      setTimeout(() => void loadParks(), 3000);
    }
  }
}

function closePark(): void {
  generation += 1;
  live?.stop();
  live = null;
  for (const timer of timers.splice(0)) clearInterval(timer);
}

export function openPark(name: string | null): void {
  closePark();
  batch(() => {
    parkName.value = name;
    now.value = null;
    anchor.value = null;
    devices.value = [];
    tenant.value = null;
    sheet.value = null;
    today.value = { kind: 'loading' };
  });
  if (name === null) return;
  live = new Live(
    {
      open: () => new EventSource(api.liveUrl(name)),
      poll: () => api.now(name),
      monotonicMs: () => performance.now(),
    },
    {
      now: receive,
      channel: (kind) => {
        channel.value = kind;
      },
      refused: signedOut,
    },
  );
  live.start();
  void firstNow(name).then(loadCurve);
  void loadDevices();
  timers.push(setInterval(() => void loadDevices(), 15_000));
  timers.push(setInterval(() => void loadCurve(), 60_000));
  timers.push(setInterval(() => void refreshEmpty(), 5_000));
}

async function firstNow(name: string): Promise<void> {
  try {
    receive(await api.now(name));
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) signedOut();
    else failed.value = now.peek() === null;
  }
}

/** A park without readings is asked again, so that the first one turns the page live. */
async function refreshEmpty(): Promise<void> {
  if (!park.peek()?.empty) return;
  try {
    const list = await api.parks();
    if (list.some((item) => item.park === parkName.peek())) parks.value = list;
    await Promise.all([loadDevices(), loadCurve()]);
  } catch {
    // the live connection reports what is wrong; this look is repeated anyway
  }
}

async function loadDevices(): Promise<void> {
  const name = parkName.peek();
  const asked = generation;
  if (name === null) return;
  try {
    const list = await api.devices(name);
    if (asked === generation) devices.value = list;
  } catch {
    // kept as they were: the mark in the bar tells that data are delayed
  }
}

/** What the curve needs; parts that the park does not have come back null. */
async function optional(promise: Promise<Series>): Promise<Series | null> {
  try {
    return await promise;
  } catch (error) {
    if (error instanceof ApiError && error.status >= 400 && error.status < 500) return null;
    throw error;
  }
}

/** Yesterday hardly changes: asked again only every quarter of an hour. */
let yesterday: { key: string; series: Series | null } | null = null;

export async function loadCurve(): Promise<void> {
  const name = parkName.peek();
  const zone = timezone.peek();
  const filter = tenant.peek();
  const asked = generation;
  if (name === null || anchor.peek() === null) return; // the day is the server's, not this machine's
  const day = localDay(zone, clock.peek());
  const before = previousLocalDay(zone, clock.peek());
  const until = Math.min(day.end, Math.ceil(clock.peek() / 900_000) * 900_000);
  const group_by = filter === null ? 'none' : 'tenant';
  const ask = (metric: string, from: number, to: number) =>
    api.series(name, { metric, from, to, step: '15m', group_by });
  const key = `${name} ${before.start} ${group_by} ${until}`;
  try {
    const parts =
      filter === null
        ? ['grid_import_kw', 'generation_kw', 'discharge_kw', 'charge_kw', 'grid_export_kw']
        : [];
    const [load, ghost, gridImport, produced, discharge, charge, exported] = await Promise.all([
      ask('load_kw', day.start, until),
      yesterday?.key === key ? yesterday.series : optional(ask('load_kw', before.start, before.end)),
      ...parts.map((metric) => optional(ask(metric, day.start, until))),
    ]);
    if (asked !== generation || filter !== tenant.peek() || !load) return;
    yesterday = { key, series: ghost ?? null };
    const input: CurveInput = {
      load,
      gridImport: gridImport ?? null,
      generation: produced ?? null,
      discharge: discharge ?? null,
      charge: charge ?? null,
      export: exported ?? null,
      yesterday: ghost ?? null,
    };
    today.value = {
      kind: 'ready',
      curve: curve(input, { timezone: zone, day, key: filter ?? undefined, now: clock.peek() }),
    };
  } catch {
    if (asked === generation && today.peek().kind !== 'ready') today.value = { kind: 'failed' };
  }
}

export function filterBy(name: string | null): void {
  tenant.value = tenant.peek() === name ? null : name;
  void loadCurve();
}

export async function signIn(token: string): Promise<void> {
  await api.signIn(token);
  await loadParks();
}

export function signedOut(): void {
  closePark();
  batch(() => {
    session.value = 'out';
    parks.value = [];
    parkName.value = null;
    now.value = null;
    sheet.value = null;
  });
}

export async function signOut(): Promise<void> {
  try {
    await api.signOut();
  } finally {
    signedOut();
  }
}
