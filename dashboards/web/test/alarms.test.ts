import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { en } from '../src/i18n/en';
import { zh } from '../src/i18n/zh';
import { axisOf, nearest, runs, scale, timeTicks } from '../src/lib/alarmcurve';
import {
  type Alarm,
  type AlarmWhole,
  alarmHash,
  alarmPlaceOf,
  history,
  inOrder,
  isCalling,
  labelsOf,
  lasted,
  newestFirst,
  sameList,
  stateOf,
  tally,
} from '../src/lib/alarms';

const NOW = Date.parse('2026-11-21T06:32:00Z');

const alarm = (id: number, more: Partial<Alarm> = {}): Alarm => ({
  id,
  rule: 'night',
  name: { zh: '夜间', en: 'Night' },
  kind: 'threshold',
  subject: 'park',
  subject_name: { zh: '园区', en: 'Park' },
  priority: 'medium',
  phase: 'firing',
  began_at: '2026-11-21T06:00:00Z',
  fired_at: '2026-11-21T06:00:00Z',
  resolved_at: null,
  value: 960,
  worst: 980,
  limit: 950,
  unit: 'kW',
  reason: { zh: '', en: '' },
  acknowledged: null,
  shelved_until: null,
  out_of_service: false,
  withheld: '',
  historical: false,
  action: null,
  ...more,
});

const taken = { by: 'energy manager', at: '2026-11-21T06:10:00Z', comment: '' };

describe('state of an alarm', () => {
  it('is what people did before what readings say, but its end is its end', () => {
    expect(stateOf(alarm(1), NOW)).toBe('firing');
    expect(stateOf(alarm(1, { phase: 'recovering' }), NOW)).toBe('recovering');
    expect(stateOf(alarm(1, { phase: 'recovering', acknowledged: taken }), NOW)).toBe('acknowledged');
    const shelved = alarm(1, { acknowledged: taken, shelved_until: '2026-11-21T06:33:00Z' });
    expect(stateOf(shelved, NOW)).toBe('shelved');
    expect(stateOf(shelved, NOW + 60_000)).toBe('acknowledged'); // it expires by itself
    expect(stateOf({ ...shelved, out_of_service: true }, NOW)).toBe('out_of_service');
    expect(stateOf({ ...shelved, resolved_at: '2026-11-21T06:31:00Z' }, NOW)).toBe('resolved');
    expect(stateOf(alarm(1, { historical: true }), NOW)).toBe('historical');
  });
  it('calls for somebody while nobody took it on or put it aside', () => {
    expect(isCalling(alarm(1), NOW)).toBe(true);
    expect(isCalling(alarm(1, { acknowledged: taken }), NOW)).toBe(false);
    expect(isCalling(alarm(1, { out_of_service: true }), NOW)).toBe(false);
  });
});

describe('lists', () => {
  const rows = [
    alarm(1, { priority: 'low' }),
    alarm(2, { priority: 'high', acknowledged: taken }),
    alarm(3, { fired_at: '2026-11-21T06:20:00Z' }),
    alarm(4, { priority: 'high', shelved_until: '2026-11-21T08:00:00Z' }),
    alarm(5),
  ];
  it('put what calls first, then by priority, the newest first', () => {
    expect(inOrder(rows, NOW).map((row) => row.id)).toEqual([3, 5, 1, 2, 4]);
  });
  it('are the same as long as they look the same', () => {
    expect(
      sameList(
        rows,
        rows.map((row) => ({ ...row, value: 1, worst: 2 })),
      ),
    ).toBe(true);
    expect(
      sameList(
        rows,
        rows.map((row) => ({ ...row, acknowledged: taken })),
      ),
    ).toBe(false);
    expect(sameList(rows, rows.slice(1))).toBe(false);
    expect(sameList(null, [])).toBe(false);
  });
  it('show the newest on the card', () => {
    expect(newestFirst(rows, 3).map((row) => row.id)).toEqual([3, 5, 4]);
  });
  it('are as loud as the worst that calls', () => {
    expect(tally(rows, NOW)).toEqual({ total: 5, calling: 3, worst: 'medium' });
    expect(tally([], NOW)).toEqual({ total: 0, calling: 0, worst: null });
    expect(tally([alarm(2, { acknowledged: taken })], NOW)).toEqual({ total: 1, calling: 0, worst: null });
  });
});

describe('history', () => {
  it('tells all that happened, what waits on top, the newest next', () => {
    const whole: AlarmWhole = {
      ...alarm(1, { began_at: '2026-11-21T05:55:00Z', resolved_at: '2026-11-21T06:30:00Z' }),
      cause: null,
      consequence: null,
      acts: [
        {
          act: 'acknowledge',
          person: 'energy manager',
          at: '2026-11-21T06:10:00Z',
          comment: '',
          until: null,
        },
      ],
      messages: [
        { receiver: 'duty', why: 'first', state: 'sent', sent_at: '2026-11-21T06:00:01Z', error: '' },
        { receiver: 'duty', why: 'recovered', state: 'waiting', sent_at: null, error: 'refused' },
      ],
      curve: null,
    };
    expect(history(whole).map((moment) => moment.message?.why ?? moment.act?.act ?? moment.kind)).toEqual([
      'recovered',
      'resolved',
      'acknowledge',
      'first',
      'fired',
      'began',
    ]);
  });
});

describe('addresses', () => {
  it('name a list and an alarm, and nothing else', () => {
    for (const hash of [
      '#alarms',
      '#alarms/12',
      '#alarms/all',
      '#alarms/all/12',
      '#alarms/report',
      '#alarms/silences',
    ]) {
      const place = alarmPlaceOf(hash);
      expect(place && alarmHash(place)).toBe(hash);
    }
    expect(alarmPlaceOf('#alarms/12')).toEqual({ tab: 'standing', id: 12 });
    expect(alarmPlaceOf('#alarms/x')).toEqual({ tab: 'standing', id: null });
    expect(alarmPlaceOf('#books')).toBeNull();
  });
});

describe('labels of a silence', () => {
  it('are pairs, or nothing at all', () => {
    expect(labelsOf('rule=night, device = m1')).toEqual({ rule: 'night', device: 'm1' });
    expect(labelsOf('subject=point:gate/active_power')).toEqual({ subject: 'point:gate/active_power' });
    for (const text of ['', 'night', 'rule=', 'rule=night, and', '=x']) expect(labelsOf(text)).toBeNull();
  });
});

describe('how long', () => {
  it('is said in the unit people would use', () => {
    expect(lasted(90_000)).toEqual({ count: 90, unit: 's' });
    expect(lasted(45 * 60_000)).toEqual({ count: 45, unit: 'min' });
    expect(lasted(30 * 3_600_000)).toEqual({ count: 30, unit: 'h' });
    expect(lasted(72 * 3_600_000)).toEqual({ count: 3, unit: 'd' });
    expect(lasted(-5)).toEqual({ count: 0, unit: 's' });
  });
});

describe('the curve', () => {
  it('has an axis that holds values and limit, from zero unless they are far from it', () => {
    expect(axisOf([120, 960], 950)).toMatchObject({ low: 0, ticks: [0, 250, 500, 750, 1000, 1250] });
    const factor = axisOf([0.91, 0.97], 0.9);
    expect(factor.low).toBeGreaterThan(0.8);
    expect(factor.low).toBeLessThanOrEqual(0.9);
    expect(factor.high).toBeGreaterThanOrEqual(0.97);
    expect(axisOf([null, null], null)).toEqual({ low: 0, high: 1, ticks: [0, 1] });
    const flat = axisOf([5], null);
    expect(flat.high).toBeGreaterThan(5);
    const below = axisOf([-40, 20], 0);
    expect(below.low).toBeLessThanOrEqual(-40);
    expect(below.ticks).toContain(0);
  });
  it('has ticks at round local times', () => {
    const from = Date.parse('2026-11-21T05:52:00Z');
    const labels = (zone: string, hours: number, count: number) =>
      timeTicks(zone, from, from + hours * 3_600_000, count).map((tick) => tick.label);
    expect(labels('Asia/Shanghai', 1, 6)).toEqual(['14:00', '14:10', '14:20', '14:30', '14:40', '14:50']);
    expect(labels('Asia/Kolkata', 2, 4)).toEqual(['11:30', '12:00', '12:30', '13:00']);
    expect(labels('Asia/Shanghai', 96, 5)).toEqual(['11-22', '11-23', '11-24', '11-25']);
  });
  it('leaves gaps open and shows what stands alone', () => {
    const same = (value: number) => value;
    expect(
      runs(
        [
          [0, 1],
          [1, 2],
          [2, null],
          [3, 4],
          [4, null],
          [5, 6],
        ],
        same,
        same,
      ),
    ).toBe('M0.0 1.0L1.0 2.0M3.0 4.0h2M5.0 6.0h2');
  });
  it('is read at the nearest known point', () => {
    expect(
      nearest(
        [
          [0, 1],
          [10, null],
          [20, 3],
        ],
        9,
      ),
    ).toBe(0);
    expect(
      nearest(
        [
          [0, 1],
          [10, null],
          [20, 3],
        ],
        12,
      ),
    ).toBe(2);
    expect(nearest([[0, null]], 0)).toBeNull();
  });
  it('is scaled in proportion', () => {
    expect(scale(0, 10, 100, 200)(5)).toBe(150);
    expect(scale(3, 3, 100, 200)(3)).toBe(100);
  });
});

describe('words of alarms', () => {
  const text = (path: string) =>
    readFileSync(new URL(`../../../parkcarbon/${path}`, import.meta.url), 'utf8');
  const kinds = [
    ...(/Kind = Literal\[([^\]]+)\]/.exec(text('alarm/rules/document.py'))?.[1] ?? '').matchAll(/"(\w+)"/g),
  ];
  const whys = [
    ...(text('domain/alarm/types.py').split('class Why')[1]?.split('@dataclass')[0] ?? '').matchAll(
      /= "([\w ]+)"/g,
    ),
  ];
  const keys = [
    ...kinds.map((kind) => `alarm.kinds.${kind[1]}`),
    ...whys.map((why) => `alarm.why.${(why[1] ?? '').replaceAll(' ', '_')}`),
  ];
  it('are found in their source', () => {
    expect([kinds.length, whys.length].every((count) => count > 10)).toBe(true);
  });
  it.each(keys)('%s has a text in both languages', (key) => {
    for (const texts of [zh, en]) expect((texts as Record<string, string>)[key]).toBeTruthy();
  });
});
