import type { ComponentChildren } from 'preact';
import { named, t } from '../i18n';
import {
  change,
  changeText,
  currencySign,
  full,
  percent,
  short,
  tonnes,
  unitText,
  whole,
} from '../lib/format';
import { chosenTenant, now, sheet, today } from '../lib/store';
import type { FigureName, Figures, TenantNow } from '../lib/types';
import { Arrow } from './icons';
import { Spark } from './spark';

export interface Line {
  label: string;
  value: string;
  unit?: string;
  title: string;
  note?: string;
}

export interface TileModel {
  figure: FigureName;
  value: string;
  unit: string;
  title: string;
  raw: number | null;
  lastWeek: number | null;
  lastWeekTitle: string;
  points: boolean;
  /** What a rise means: for emissions and energy it is not welcome, for shares it is, load is neither. */
  rise: 'bad' | 'good' | 'neutral';
  spark: (number | null)[];
  sparkUnit: string;
  lines: Line[];
}

const line = (label: string, value: number | null, unit: string, format = short, note?: string): Line => ({
  label,
  value: format(value),
  unit: unitText(unit),
  title: full(value, unitText(unit)),
  ...(note === undefined ? {} : { note }),
});

/** How many meters a live figure is without because they come from files; their points on pointing at it. */
const withoutFiles = (points: readonly string[]): Line[] =>
  points.length > 0
    ? [{ label: t('tile.fromFiles'), value: whole(points.length), title: points.join('\n') }]
    : [];

type Build = { [name in FigureName]: (figures: Figures) => Pick<TileModel, 'lines' | 'rise'> };

const BUILD: Build = {
  emission_rate: ({ emission_rate: it }) => ({
    rise: 'bad',
    lines: [
      ...(['electricity', 'gas', 'heat'] as const).map((carrier) =>
        line(
          t(`carrier.${carrier}`),
          it.parts[carrier],
          '',
          short,
          it.averaged.includes(carrier) ? t('tile.averaged') : undefined,
        ),
      ),
      ...withoutFiles(it.from_files),
    ],
  }),
  load: ({ load: it }) => {
    const contract = it.contract_demand_kw;
    const peak = it.peak_today_kw;
    return {
      rise: 'neutral',
      lines: [
        line(t('tile.peakToday'), peak, 'kW'),
        line(t('tile.contract'), contract, 'kW'),
        line(t('tile.ofContract'), peak !== null && contract ? (peak / contract) * 100 : null, '%', percent),
        ...withoutFiles(it.from_files),
      ],
    };
  },
  energy_today: ({ energy_today: it }) => ({
    rise: 'bad',
    lines: [
      {
        label: t('tile.cost'),
        value: it.cost === null ? short(null) : currencySign(it.currency) + short(it.cost),
        title: full(it.cost, it.currency),
      },
    ],
  }),
  emissions_today: ({ emissions_today: it }) => ({
    rise: 'bad',
    lines: [
      {
        label: t('tile.location'),
        value: short(tonnes(it.value)),
        unit: 't',
        title: full(it.value, 'kgCO₂e'),
      },
      {
        label: t('tile.market'),
        value: short(tonnes(it.market)),
        unit: 't',
        title: full(it.market, 'kgCO₂e'),
      },
    ],
  }),
  pv: ({ pv: it }) => ({
    rise: 'good',
    lines: [
      line(t('tile.selfSufficiency'), it.self_sufficiency, '%', percent),
      line(t('tile.generation'), it.generation_kw, 'kW'),
      line(t('tile.generationToday'), it.generation_today_kwh, 'kWh'),
    ],
  }),
  completeness: ({ completeness: it }) => ({
    rise: 'good',
    lines: [
      {
        label: t('tile.measuredHours'),
        value: `${whole(it.measured_hours)} / ${whole(it.expected_hours)}`,
        unit: 'h',
        title: `${full(it.measured_hours)} / ${full(it.expected_hours, 'h')}`,
      },
    ],
  }),
};

export const FIGURES: readonly FigureName[] = [
  'emission_rate',
  'load',
  'energy_today',
  'emissions_today',
  'pv',
  'completeness',
];

/** Figures whose trend holds the amount of each interval; the running one is not an amount yet. */
const SUMS: ReadonlySet<FigureName> = new Set<FigureName>(['energy_today', 'emissions_today']);

function finished(spark: readonly (number | null)[]): (number | null)[] {
  return [...spark.slice(0, -1), null];
}

export function tileModel(figure: FigureName, figures: Figures): TileModel {
  const it = figures[figure];
  const inTonnes = figure === 'emissions_today';
  const share = it.unit === '%';
  const value = inTonnes ? short(tonnes(it.value)) : share ? percent(it.value) : short(it.value);
  return {
    figure,
    value,
    unit: inTonnes ? 'tCO₂e' : unitText(it.unit),
    title: full(it.value, unitText(it.unit)),
    raw: it.value,
    lastWeek: it.last_week,
    lastWeekTitle: t('tile.lastWeekFull', { value: full(it.last_week, unitText(it.unit)) }),
    points: share,
    spark: SUMS.has(figure) ? finished(it.spark) : it.spark,
    sparkUnit: it.unit,
    ...BUILD[figure](figures),
  };
}

interface TenantView {
  tenant: TenantNow;
  figures: Figures;
  recent: (number | null)[];
}

/** The three figures that a tenant has, in the tile's own form; the rest stay the park's. */
function forTenant(model: TileModel, { tenant, figures, recent }: TenantView): TileModel | null {
  const own = (value: number | null, park: number | null, unit: string): TileModel => ({
    ...model,
    value: short(value),
    title: full(value, unit),
    raw: value,
    lastWeek: null,
    spark: [],
    lines: [line(t('tile.shareOfPark'), value !== null && park ? (value / park) * 100 : null, '%', percent)],
  });
  switch (model.figure) {
    case 'load':
      return { ...own(tenant.power_kw, figures.load.value, 'kW'), spark: recent };
    case 'energy_today':
      return {
        ...own(tenant.energy_today_kwh, figures.energy_today.value, 'kWh'),
        spark: recent.map((kw) => (kw === null ? null : kw / 4)),
        lastWeek: tenant.last_week_kwh,
        lastWeekTitle: t('tile.lastWeekFull', { value: full(tenant.last_week_kwh, 'kWh') }),
      };
    case 'emissions_today': {
      const kilograms = tenant.co2e_today_kg;
      const built = own(kilograms, figures.emissions_today.value, 'kgCO₂e');
      return { ...built, value: short(tonnes(kilograms)) };
    }
    default:
      return null;
  }
}

export function Tiles() {
  const figures = now.value?.figures;
  if (!figures) return null;
  const chosen = chosenTenant.value;
  const tenant = now.value?.tenants.find((item) => item.tenant === chosen?.tenant);
  const state = today.value;
  const recent = tenant && state.kind === 'ready' ? state.curve.recent : [];
  return (
    <section class="tiles" aria-label={t('wall.overview')}>
      {FIGURES.map((figure) => {
        const model = tileModel(figure, figures);
        const own = tenant ? forTenant(model, { tenant, figures, recent }) : null;
        const scope = tenant ? (own ? named(tenant.name) : t('tile.parkOnly')) : undefined;
        return (
          <Tile key={figure} model={own ?? model} scope={scope} dim={tenant !== undefined && own === null} />
        );
      })}
    </section>
  );
}

function Tile({ model, scope, dim }: { model: TileModel; scope?: string | undefined; dim: boolean }) {
  const name = t(`tile.${model.figure}`);
  const open = () => {
    sheet.value = { kind: 'working', figure: model.figure };
  };
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the number inside is the button; the tile only widens its mouse target
    <article class={dim ? 'tile dim' : 'tile'} data-testid={`tile-${model.figure}`} onClick={open}>
      <h2>
        {name}
        {scope && <span class={dim ? 'hidden' : 'scope'}>{scope}</span>}
      </h2>
      <button
        type="button"
        class="value num"
        title={model.title}
        onClick={(event) => {
          event.stopPropagation();
          open();
        }}
        data-value={model.raw ?? ''}
      >
        <span class="hidden">{t('tile.open', { name })} </span>
        <span class="figure">{model.value}</span> <span class="unit">{model.unit}</span>
      </button>
      <LastWeek model={model} brief={scope !== undefined && model.lastWeek === null} />
      {model.spark.length > 0 && <Spark values={model.spark} unit={model.sparkUnit} />}
      {model.lines.length > 0 && (
        <dl class="lines">
          {model.lines.map((item) => (
            <TileLine key={item.label} line={item} />
          ))}
        </dl>
      )}
    </article>
  );
}

function TileLine({ line: item }: { line: Line }): ComponentChildren {
  return (
    <div>
      <dt>{item.label}</dt>
      <dd class="num" title={item.title}>
        {item.note && <span class="note">{item.note}</span>}
        {item.value}
        {item.unit && <span class="unit">{item.unit}</span>}
      </dd>
    </div>
  );
}

export function LastWeek({ model, brief = false }: { model: TileModel; brief?: boolean }) {
  const delta = change(model.raw, model.lastWeek, model.points);
  if (!delta) return brief ? null : <p class="change none">{t('tile.noLastWeek')}</p>;
  const welcome =
    delta.direction === 'same' || model.rise === 'neutral'
      ? 'neutral'
      : (delta.direction === 'up') === (model.rise === 'good')
        ? 'good'
        : 'bad';
  return (
    <p class={`change ${welcome}`} title={model.lastWeekTitle}>
      <Arrow direction={delta.direction} />
      <span class="num">{changeText(delta, t('tile.pointsUnit'))}</span> {brief ? null : t('tile.lastWeek')}
    </p>
  );
}
