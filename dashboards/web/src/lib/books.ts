/** The books as the page reads them: periods, the inventory of one, and the working of any figure (docs/contracts.md). */

import { signal } from '@preact/signals';
import { get, inPark } from './api';
import type { Factor, Name } from './types';

export interface PeriodRow {
  period: string;
  state: 'open' | 'provisional' | 'closed';
  version: number;
}

export interface Obstacle {
  what: string;
  message: string;
  hard: boolean;
}

export interface Period extends PeriodRow {
  obstacles: Obstacle[];
  events: { event: string; person: string; reason: string; recorded_at: string }[];
}

export interface InventoryScope {
  scope: 1 | 2 | 3;
  basis: 'location' | 'market' | null;
  co2e_kg: number | null;
}

export interface InstrumentUse {
  kind: string;
  serials: string;
  kwh?: number | null;
  kg?: number | null;
  reason?: string;
  rule?: string;
  generated?: string;
}

export interface BooksInventory {
  period: string;
  final: boolean;
  known_on: string;
  method_version: string;
  gwp_set: string;
  completeness_pct: number | null;
  scopes: InventoryScope[];
  scope3: { co2e_kg: number | null };
  totals: Record<'location' | 'market', { co2e_kg: number | null; unverified_pct: number | null }>;
  not_in_total: { point: string; reason: string }[];
  warnings: string[];
  instruments: { used: InstrumentUse[]; pending: InstrumentUse[]; refused: InstrumentUse[] };
}

export type Operation =
  | 'given'
  | 'sum'
  | 'difference'
  | 'product'
  | 'quotient'
  | 'minimum'
  | 'maximum'
  | 'sum_product';

export interface Batch {
  source: string;
  boot: string;
  seq: number;
  digest: string;
}

/** Where a number comes from; which members are there depends on `kind`. */
export interface Source extends Partial<Factor> {
  kind?: string;
  point?: string;
  time?: string;
  serial?: string | null;
  batch?: Batch;
  lots?: string[];
  entry?: string | number;
  evidence?: string;
  name?: string;
}

/** A figure with its working; the same tree that the spreadsheet computes again. */
export interface Node {
  name: string;
  value: number | null;
  unit: string;
  operation: Operation;
  label?: Name;
  source?: Source;
  rule?: string;
  notes?: string[];
  terms?: Node[];
  columns?: Record<string, (number | string | null)[]>;
}

/** What the address says: `#books`, `#books/2026-10`, `#books/2026-10/scope2_market`. */
export interface Place {
  period: string | null;
  figure: string | null;
}

export function placeOf(hash: string): Place | null {
  const [view, period, ...figure] = hash.replace(/^#/, '').split('/');
  if (view !== 'books') return null;
  return { period: period || null, figure: decodeURIComponent(figure.join('/')) || null };
}

export function hashOf(place: Place): string {
  const parts = ['books', place.period, place.figure && encodeURIComponent(place.figure)];
  return `#${parts.filter(Boolean).join('/')}`;
}

export const place = signal<Place | null>(placeOf(location.hash));
window.addEventListener('hashchange', () => {
  place.value = placeOf(location.hash);
});

export function go(next: Place | null): void {
  location.hash = next ? hashOf(next) : '';
}

export const books = {
  periods: async (park: string) => (await get<{ periods: PeriodRow[] }>(inPark(park, 'periods'))).periods,
  period: (park: string, period: string) => get<Period>(inPark(park, `periods/${period}`)),
  inventory: (park: string, period: string) =>
    get<BooksInventory>(inPark(park, `inventory?${new URLSearchParams({ period })}`)),
  explain: (park: string, figure: string, period: string) =>
    get<Node>(inPark(park, `explain?${new URLSearchParams({ figure, period })}`)),
  workbookUrl: (park: string, figure: string, period: string) =>
    `/api/v1${inPark(park, `explain?${new URLSearchParams({ figure, period, format: 'xlsx' })}`)}`,
};
