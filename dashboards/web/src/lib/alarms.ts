/** Alarms as the page reads them: what the API sends, in which order they stand, and what is said of each. Pure. */

import type { Name } from './types';

export type Priority = 'low' | 'medium' | 'high';

export interface Acknowledged {
  by: string;
  at: string;
  comment: string;
}

export interface Alarm {
  id: number;
  rule: string;
  name: Name;
  kind: string;
  subject: string;
  subject_name: Name;
  priority: Priority;
  phase: 'pending' | 'firing' | 'recovering' | 'resolved';
  began_at: string;
  fired_at: string;
  resolved_at: string | null;
  value: number | null;
  worst: number | null;
  limit: number | null;
  unit: string;
  reason: Name;
  acknowledged: Acknowledged | null;
  shelved_until: string | null;
  out_of_service: boolean;
  /** Why nobody is told now; empty: somebody is. */
  withheld: string;
  /** Found in readings that came late: nobody was told. */
  historical: boolean;
  /** What to do. */
  action: Name | null;
}

export type ActName = 'acknowledge' | 'comment' | 'shelve' | 'unshelve' | 'out_of_service' | 'in_service';

export interface AlarmAct {
  act: ActName;
  person: string;
  at: string;
  comment: string;
  until: string | null;
}

export interface AlarmMessage {
  receiver: string;
  why: string;
  state: 'waiting' | 'sent' | 'dead';
  sent_at: string | null;
  error: string;
}

/** What the rule saw, around the time it was raised. */
export interface AlarmCurve {
  unit: string;
  /** `[ms UTC, value]`; null is a gap. */
  points: [number, number | null][];
  limit: number | null;
  /** [ms UTC] */
  from: number;
  to: number;
}

export interface AlarmWhole extends Alarm {
  cause: Name | null;
  consequence: Name | null;
  acts: AlarmAct[];
  messages: AlarmMessage[];
  curve: AlarmCurve | null;
}

export interface Silence {
  id: number;
  match: Record<string, string>;
  begin: string;
  end: string;
  author: string;
  comment: string;
  ended_at: string | null;
  ended_by: string | null;
  active: boolean;
}

interface Noisy {
  rule: string;
  subject: string;
  subject_name: Name;
}

/** How the alarms behave, after ISA-18.2. */
export interface Report {
  from: string;
  to: string;
  alarms: number;
  per_10_min: number;
  by_priority: Partial<Record<Priority, number>>;
  standing: Alarm[];
  chattering: (Noisy & { times: number; at: string })[];
  top: (Noisy & { alarms: number; share: number })[];
  floods: { begin: string; end: string; alarms: number }[];
  flood_share: number;
  acknowledge_mean_s: number | null;
  never_acknowledged: number;
}

export type AlarmState =
  | 'firing'
  | 'recovering'
  | 'acknowledged'
  | 'shelved'
  | 'out_of_service'
  | 'resolved'
  | 'historical';

/** Where an alarm stands for people. What a person did with it goes before what the readings say, but for its end. */
export function stateOf(alarm: Alarm, nowMs: number): AlarmState {
  if (alarm.historical) return 'historical';
  if (alarm.resolved_at !== null) return 'resolved';
  if (alarm.out_of_service) return 'out_of_service';
  if (alarm.shelved_until !== null && Date.parse(alarm.shelved_until) > nowMs) return 'shelved';
  if (alarm.acknowledged !== null) return 'acknowledged';
  return alarm.phase === 'recovering' ? 'recovering' : 'firing';
}

/** Nobody has taken it on, and nobody has put it aside. */
export function isCalling(alarm: Alarm, nowMs: number): boolean {
  return ['firing', 'recovering'].includes(stateOf(alarm, nowMs));
}

const PRIORITIES: Priority[] = ['high', 'medium', 'low'];

const rank = (alarm: Alarm, nowMs: number): number => {
  const state = stateOf(alarm, nowMs);
  if (state === 'firing' || state === 'recovering') return 0;
  return state === 'acknowledged' ? 1 : 2;
};

/** Those that call for somebody first, then by priority, the newest first. */
export function inOrder(alarms: readonly Alarm[], nowMs: number): Alarm[] {
  return alarms.toSorted(
    (a, b) =>
      rank(a, nowMs) - rank(b, nowMs) ||
      PRIORITIES.indexOf(a.priority) - PRIORITIES.indexOf(b.priority) ||
      Date.parse(b.fired_at) - Date.parse(a.fired_at) ||
      b.id - a.id,
  );
}

/** The newest first, whatever they are: for the card of the live page. */
export function newestFirst(alarms: readonly Alarm[], count: number): Alarm[] {
  return alarms
    .toSorted((a, b) => Date.parse(b.fired_at) - Date.parse(a.fired_at) || b.id - a.id)
    .slice(0, count);
}

export interface Tally {
  total: number;
  calling: number;
  /** Highest priority of those that call; null: none does. */
  worst: Priority | null;
}

/** How many stand, and how loud they are. */
export function tally(alarms: readonly Alarm[], nowMs: number): Tally {
  const calling = alarms.filter((alarm) => isCalling(alarm, nowMs));
  const worst = PRIORITIES.find((priority) => calling.some((alarm) => alarm.priority === priority));
  return { total: alarms.length, calling: calling.length, worst: worst ?? null };
}

/** Whether two looks at a list show the same: figures may differ, what is drawn of them does not. */
export function sameList(before: readonly Alarm[] | null, after: readonly Alarm[]): boolean {
  return before !== null && JSON.stringify(before.map(drawn)) === JSON.stringify(after.map(drawn));
}

const drawn = ({ value, worst, limit, reason, ...shown }: Alarm) => shown;

export interface Span {
  count: number;
  unit: 's' | 'min' | 'h' | 'd';
}

/** How long something lasted, in the unit people would say it in: 90 s, 45 min, 30 h, 3 d. */
export function lasted(ms: number): Span {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) return { count: seconds, unit: 's' };
  if (seconds < 7_200) return { count: Math.round(seconds / 60), unit: 'min' };
  if (seconds < 172_800) return { count: Math.round(seconds / 3_600), unit: 'h' };
  return { count: Math.round(seconds / 86_400), unit: 'd' };
}

export interface Moment {
  at: string;
  kind: 'began' | 'fired' | 'resolved' | 'act' | 'message';
  act?: AlarmAct;
  message?: AlarmMessage;
}

/** All that happened to an alarm, the newest first; messages that wait have no time yet and stand on top. */
export function history(alarm: AlarmWhole): Moment[] {
  const moments: Moment[] = [
    ...(alarm.began_at === alarm.fired_at ? [] : [{ at: alarm.began_at, kind: 'began' as const }]),
    { at: alarm.fired_at, kind: 'fired' },
    ...alarm.acts.map((act) => ({ at: act.at, kind: 'act' as const, act })),
    ...alarm.messages.map((message) => ({ at: message.sent_at ?? '', kind: 'message' as const, message })),
    ...(alarm.resolved_at === null ? [] : [{ at: alarm.resolved_at, kind: 'resolved' as const }]),
  ];
  const time = (moment: Moment) => (moment.at ? Date.parse(moment.at) : Number.POSITIVE_INFINITY);
  return moments
    .map((moment, index) => ({ moment, index }))
    .toSorted((a, b) => compare(time(b.moment), time(a.moment)) || b.index - a.index)
    .map(({ moment }) => moment);
}

const compare = (a: number, b: number): number => (a === b ? 0 : a < b ? -1 : 1);

/** What the address says: `#alarms`, `#alarms/12`, `#alarms/all`, `#alarms/all/12`, `#alarms/report`, `#alarms/silences`. */
export const TABS = ['standing', 'all', 'report', 'silences'] as const;
export type Tab = (typeof TABS)[number];

export interface AlarmPlace {
  tab: Tab;
  id: number | null;
}

export function alarmPlaceOf(hash: string): AlarmPlace | null {
  const [view, first = '', second = ''] = hash.replace(/^#/, '').split('/');
  if (view !== 'alarms') return null;
  const tab = TABS.find((name) => name === first) ?? 'standing';
  const id = tab === first ? second : first;
  return { tab, id: /^\d+$/.test(id) ? Number(id) : null };
}

export function alarmHash({ tab, id }: AlarmPlace): string {
  const parts = ['alarms', tab === 'standing' ? '' : tab, id === null ? '' : String(id)];
  return `#${parts.filter(Boolean).join('/')}`;
}

/** `rule=night, device=m1` or one pair a line, as labels; null where it is not that. */
export function labelsOf(text: string): Record<string, string> | null {
  const pairs = text
    .split(/[,，\n]/)
    .map((part) => part.trim())
    .filter(Boolean)
    .map((part) => /^([a-z_]+)\s*=\s*(\S(?:.*\S)?)$/.exec(part));
  if (pairs.length === 0 || pairs.some((pair) => pair === null)) return null;
  return Object.fromEntries(pairs.map((pair) => [pair?.[1] ?? '', pair?.[2] ?? '']));
}
