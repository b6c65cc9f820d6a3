import { describe, expect, it } from 'vitest';
import type { Device, DeviceState, TenantNow } from '../src/lib/types';
import { arrange, commonLead } from '../src/ui/devices';
import { sparkRuns } from '../src/ui/spark';
import { rank } from '../src/ui/tenants';

const tenant = (name: string, energy: number | null, co2e: number | null = null): TenantNow => ({
  tenant: name,
  name: { zh: name, en: name },
  power_kw: null,
  energy_today_kwh: energy,
  co2e_today_kg: co2e,
  last_week_kwh: null,
});

describe('tenants', () => {
  it('rank by energy, unknown last, with share and intensity', () => {
    const ranked = rank([tenant('b', null), tenant('a', 25, 10), tenant('c', 75, 30)]);
    expect(ranked.map((item) => item.tenant.tenant)).toEqual(['c', 'a', 'b']);
    expect(ranked.map((item) => item.share)).toEqual([75, 25, null]);
    expect(ranked[0]).toMatchObject({ rank: 1, length: 1, intensity: 0.4 });
    expect(ranked[2]).toMatchObject({ length: 0, intensity: null });
  });
  it('do not divide by nothing', () => {
    expect(rank([tenant('a', 0, 0)])[0]).toMatchObject({ length: 0, share: null, intensity: null });
  });
});

describe('devices', () => {
  it('show those that do not answer first, everything in bus order', () => {
    const device = (position: number, state: DeviceState, bus: string) =>
      ({ device: `d${position}`, position, state, bus }) as Device;
    const { attention, buses, files } = arrange([
      device(3, 'ok', 'b'),
      device(2, 'silent', 'b'),
      device(0, 'ok', 'a'),
      device(1, 'never', 'a'),
      device(4, 'error', 'b'),
      device(5, 'files', ''),
    ]);
    expect(files.map((item) => item.device)).toEqual(['d5']);
    expect(attention.map((item) => item.device)).toEqual(['d1', 'd2', 'd4']);
    expect(buses.map(({ bus, devices }) => [bus, devices.map((item) => item.device)])).toEqual([
      ['a', ['d0']],
      ['b', ['d3']],
    ]);
  });
});

describe('names of devices', () => {
  it('share a beginning only up to a middle dot, and only when all do', () => {
    expect(commonLead(['Textiles · line 1', 'Textiles · line 2'])).toBe('Textiles · ');
    expect(commonLead(['纺织・一线', '纺织・二线'])).toBe('纺织・');
    expect(commonLead(['Textiles · line 1', 'Cold · line 2'])).toBe('');
    expect(commonLead(['PV inverter 1', 'PV inverter 2'])).toBe('');
    expect(commonLead(['Textiles · line 1'])).toBe('');
    expect(commonLead([])).toBe('');
  });
});

describe('spark lines', () => {
  it('leave gaps open and stand on zero', () => {
    const runs = sparkRuns([null, 1, 2, null, 0], 2);
    expect(runs.map((run) => run.map((point) => point.x))).toEqual([[1, 2], [4]]);
    expect(runs[0]?.[1]?.y).toBe(2);
    expect(runs[1]?.[0]?.y).toBe(26);
  });
});
