/** The HTTP contract as the page uses it (docs/contracts.md, section 3). `null` means unknown or missing, never zero. */

export interface Name {
  zh: string;
  en: string;
}

export interface Tenant {
  tenant: string;
  name: Name;
}

export interface Park {
  park: string;
  name: Name;
  timezone: string;
  currency: string;
  contract_demand_kw: number | null;
  tenants: Tenant[];
  empty: boolean;
}

export interface Figure {
  value: number | null;
  unit: string;
  spark: (number | null)[];
  last_week: number | null;
}

export interface EmissionRate extends Figure {
  parts: { electricity: number | null; gas: number | null; heat: number | null };
  averaged: string[];
  /** Points that come from files and are not in this figure. */
  from_files: string[];
}

export interface Load extends Figure {
  peak_today_kw: number | null;
  contract_demand_kw: number | null;
  /** Points that come from files and are not in this figure. */
  from_files: string[];
}

export interface EnergyToday extends Figure {
  cost: number | null;
  currency: string;
}

export interface EmissionsToday extends Figure {
  market: number | null;
}

export interface Pv extends Figure {
  self_sufficiency: number | null;
  generation_kw: number | null;
  generation_today_kwh: number | null;
}

export interface Completeness extends Figure {
  measured_hours: number;
  expected_hours: number;
}

export interface Figures {
  emission_rate: EmissionRate;
  load: Load;
  energy_today: EnergyToday;
  emissions_today: EmissionsToday;
  pv: Pv;
  completeness: Completeness;
}

export type FigureName = keyof Figures;

export type NodeKind = 'grid' | 'pv' | 'battery' | 'gas' | 'heat' | 'tenant' | 'unmetered' | 'bus';

export interface FlowNode {
  node: string;
  kind: NodeKind;
  name: Name;
  kw: number | null;
}

export interface FlowEdge {
  from: string;
  to: string;
  kw: number;
}

export interface Flow {
  at: string | null;
  nodes: FlowNode[];
  edges: FlowEdge[];
  imbalance_kw: number | null;
}

export interface TenantNow {
  tenant: string;
  name: Name;
  power_kw: number | null;
  energy_today_kwh: number | null;
  co2e_today_kg: number | null;
  last_week_kwh: number | null;
}

export interface Now {
  park: string;
  at: string;
  data_as_of: string | null;
  local_time: string;
  figures: Figures;
  flow: Flow;
  tenants: TenantNow[];
  devices: { ok: number; silent: number; error: number; files: number };
}

export type Method = 'measured' | 'interpolated' | 'substituted' | 'estimated' | 'manual' | 'missing';

export interface SeriesGroup {
  key: string;
  name: Name | null;
  values: (number | null)[];
  coverage: number[];
  method: Method[];
}

export interface Series {
  metric: string;
  unit: string;
  step_s: number;
  from: string;
  to: string;
  starts: string[];
  groups: SeriesGroup[];
}

export type DeviceState = 'ok' | 'silent' | 'error' | 'never' | 'files';

export interface DevicePoint {
  point: string;
  quantity: string;
  unit: string;
  kind: string;
  value: number | null;
  time: string | null;
  quality: string | null;
}

export interface Device {
  device: string;
  name: Name;
  profile: string;
  tenant: string | null;
  source: string | null;
  bus: string;
  position: number;
  state: DeviceState;
  last_seen: string | null;
  detail: string | null;
  points: DevicePoint[];
}

export interface Factor {
  factor: string;
  /** null for a time series of values. */
  value: number | null;
  unit: string;
  gas: string;
  basis: string;
  purpose: string;
  region: string;
  data_year: number | null;
  publisher: string;
  edition: string;
  published_on: string | null;
  unverified: boolean;
  match: string;
  /** True where something wider than asked for had to do. */
  fallback?: boolean;
}

export interface WorkingTerm {
  label: string;
  value: number | null;
  unit: string;
  point?: string | null;
  time?: string | null;
  register?: number | null;
  quality?: string | null;
  start_register?: number | null;
  start_time?: string | null;
}

export interface Working {
  figure: string;
  value: number | null;
  unit: string;
  at: string;
  formula: string;
  terms: WorkingTerm[];
  factors: Factor[];
  notes: string[];
}

export interface Session {
  label: string;
  role: 'admin' | 'viewer' | 'wall';
  park: string | null;
}
