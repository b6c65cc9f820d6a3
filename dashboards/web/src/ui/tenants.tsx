import { named, t } from '../i18n';
import { change, changeText, full, percent, short, tonnes } from '../lib/format';
import { filterBy, now, sheet, tenant } from '../lib/store';
import type { TenantNow } from '../lib/types';
import { Arrow, Close } from './icons';

export interface Ranked {
  tenant: TenantNow;
  rank: number;
  /** Length of the bar: share of the largest, in [0, 1]. */
  length: number;
  /** Share of the tenants' sum [%]. */
  share: number | null;
  /** kgCO2e per kWh. */
  intensity: number | null;
}

/** Tenants by energy today, largest first; those without data last. */
export function rank(tenants: readonly TenantNow[]): Ranked[] {
  const energy = (item: TenantNow) => item.energy_today_kwh ?? -1;
  const sorted = [...tenants].sort((a, b) => energy(b) - energy(a) || a.tenant.localeCompare(b.tenant));
  const largest = Math.max(0, ...sorted.map(energy));
  const sum = sorted.reduce((total, item) => total + Math.max(0, energy(item)), 0);
  return sorted.map((item, index) => {
    const kwh = item.energy_today_kwh;
    return {
      tenant: item,
      rank: index + 1,
      length: largest > 0 ? Math.max(0, energy(item)) / largest : 0,
      share: kwh === null || sum === 0 ? null : (kwh / sum) * 100,
      intensity: kwh && item.co2e_today_kg !== null ? item.co2e_today_kg / kwh : null,
    };
  });
}

export function Tenants() {
  const tenants = now.value?.tenants ?? [];
  const chosen = tenant.value;
  return (
    <section class="card tenants-card" aria-labelledby="tenants-title">
      <header class="card-head">
        <h2 id="tenants-title">{t('tenants.title')}</h2>
        {chosen === null ? (
          <span class="muted">{t('tenants.hint')}</span>
        ) : (
          <button type="button" class="chip" onClick={() => filterBy(null)} data-testid="clear-filter">
            {t('tenants.clear')}
            <Close />
          </button>
        )}
      </header>
      {tenants.length === 0 ? (
        <p class="message">{t('tenants.none')}</p>
      ) : (
        <table class="tenants">
          <thead>
            <tr>
              <th scope="col">{t('tenants.title')}</th>
              <Column label={t('tenants.today')} unit="kWh" />
              <Column label={t('tenants.co2e')} unit="t" wide />
              <Column label={t('tenants.intensity')} unit="kg/kWh" wide />
              <Column label={t('tenants.change')} unit="%" />
            </tr>
          </thead>
          <tbody>
            {rank(tenants).map((item) => (
              <Row key={item.tenant.tenant} item={item} chosen={chosen} />
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

function Column({ label, unit, wide = false }: { label: string; unit: string; wide?: boolean }) {
  return (
    <th scope="col" class={wide ? 'wide' : ''}>
      {label} <span class="unit">{unit}</span>
    </th>
  );
}

function Row({ item, chosen }: { item: Ranked; chosen: string | null }) {
  const { tenant: it } = item;
  const name = named(it.name);
  const active = chosen === it.tenant;
  const open = (figure: 'energy_today' | 'emissions_today') => {
    sheet.value = { kind: 'working', figure, tenant: it.tenant };
  };
  return (
    <tr
      class={`tenant-row${active ? ' active' : ''}${chosen !== null && !active ? ' dim' : ''}`}
      data-testid={`tenant-${it.tenant}`}
      onClick={() => filterBy(it.tenant)}
    >
      <td class="tenant-name">
        <button
          type="button"
          class="link"
          aria-pressed={active}
          title={t('tenants.filter', { name })}
          onClick={(event) => {
            event.stopPropagation();
            filterBy(it.tenant);
          }}
        >
          {name}
        </button>
        <span class="share num" title={t('tenants.share')}>
          {item.share === null ? '' : `${percent(item.share)}%`}
        </span>
        <div class="track" aria-hidden="true">
          <div class="fill" style={{ width: `${(item.length * 100).toFixed(1)}%` }} />
        </div>
      </td>
      <NumberCell
        label={t('tenants.workingEnergy', { name })}
        onOpen={() => open('energy_today')}
        title={full(it.energy_today_kwh, 'kWh')}
      >
        {short(it.energy_today_kwh)}
      </NumberCell>
      <NumberCell
        wide
        label={t('tenants.workingCo2e', { name })}
        onOpen={() => open('emissions_today')}
        title={full(it.co2e_today_kg, 'kgCO₂e')}
      >
        {short(tonnes(it.co2e_today_kg))}
      </NumberCell>
      <td class="num wide" title={full(item.intensity, 'kgCO₂e/kWh')}>
        {short(item.intensity)}
      </td>
      <td class="num tenant-change">
        <TenantChange it={it} />
      </td>
    </tr>
  );
}

interface NumberCellProps {
  label: string;
  title: string;
  children: string;
  wide?: boolean;
  onOpen: () => void;
}

function NumberCell({ label, title, children, wide = false, onOpen }: NumberCellProps) {
  return (
    <td class={wide ? 'num wide' : 'num'}>
      <button
        type="button"
        class="link num"
        title={title}
        onClick={(event) => {
          event.stopPropagation();
          onOpen();
        }}
      >
        <span class="hidden">{label} </span>
        {children}
      </button>
    </td>
  );
}

export function TenantChange({ it }: { it: TenantNow }) {
  const delta = change(it.energy_today_kwh, it.last_week_kwh);
  if (!delta) return <span class="muted">–</span>;
  const mood = delta.direction === 'same' ? 'neutral' : delta.direction === 'up' ? 'bad' : 'good';
  return (
    <span class={`change ${mood}`} title={t('tile.lastWeekFull', { value: full(it.last_week_kwh, 'kWh') })}>
      <Arrow direction={delta.direction} />
      {changeText(delta, '')}
    </span>
  );
}
