import { said, t } from '../i18n';
import {
  type BooksInventory,
  books,
  go,
  type InstrumentUse,
  type InventoryScope,
  type Period,
  type PeriodRow,
  place,
} from '../lib/books';
import { full, percent, tonnes } from '../lib/format';
import { parkName } from '../lib/store';
import { useAnswer, Waiting } from './answer';
import { Explained } from './explained';
import '../styles/books.css';

export function Books() {
  const park = parkName.value;
  const periods = useAnswer(park, () => books.periods(park ?? ''));
  if (park === null || periods.kind !== 'ready') return <Waiting answer={periods} />;
  const rows = periods.value;
  const period = place.value?.period ?? defaultPeriod(rows);
  if (!period) return <p class="message">{t('books.none')}</p>;
  return (
    <div class="books" data-testid="books-page">
      <PeriodHead park={park} period={period} rows={rows} />
      <Inventory park={park} period={period} />
      <Explained park={park} period={period} figure={place.value?.figure ?? 'total_location'} />
    </div>
  );
}

/** The newest month that is over. */
function defaultPeriod(rows: PeriodRow[]): string | undefined {
  const months = rows.map((row) => row.period).filter((label) => label.length === 7);
  return months[1] ?? months[0] ?? rows[0]?.period;
}

function PeriodHead({ park, period, rows }: { park: string; period: string; rows: PeriodRow[] }) {
  const answer = useAnswer(`${park} ${period}`, () => books.period(park, period));
  return (
    <section class="card books-head" aria-labelledby="books-title">
      <header class="card-head">
        <h2 id="books-title">{t('books.title')}</h2>
        <label class="books-choice">
          <span class="muted">{t('books.period')}</span>
          <select
            value={period}
            onChange={(event) =>
              go({ period: event.currentTarget.value, figure: place.peek()?.figure ?? null })
            }
            data-testid="books-period"
          >
            {rows.map((row) => (
              <option key={row.period} value={row.period}>
                {row.period}
              </option>
            ))}
          </select>
        </label>
        {answer.kind === 'ready' && <StateBadge period={answer.value} />}
      </header>
      {answer.kind === 'ready' && <Obstacles period={answer.value} />}
    </section>
  );
}

function StateBadge({ period }: { period: Period }) {
  return (
    <span class={`tag state-${period.state}`} data-testid="books-state">
      {t(`period.${period.state}`)}
      {period.version > 0 && ` · V${period.version}`}
    </span>
  );
}

function Obstacles({ period }: { period: Period }) {
  if (period.state === 'closed' || period.obstacles.length === 0) return null;
  return (
    <details class="books-obstacles">
      <summary>{t('books.obstacles', { count: period.obstacles.length })}</summary>
      <ul class="notes">
        {period.obstacles.map((item) => (
          <li key={item.message}>
            {item.hard && <strong>{t('books.hard')} </strong>}
            {item.message}
          </li>
        ))}
      </ul>
    </details>
  );
}

const SCOPE_FIGURE = (scope: InventoryScope) =>
  scope.basis === null ? `scope${scope.scope}` : `scope${scope.scope}_${scope.basis}`;

function Inventory({ park, period }: { park: string; period: string }) {
  const answer = useAnswer(`${park} ${period}`, () => books.inventory(park, period));
  return (
    <section class="card books-figures" aria-labelledby="books-figures">
      <header class="card-head">
        <h2 id="books-figures">{t('books.inventory')}</h2>
        <span class="muted">{t('books.unit')}</span>
      </header>
      <Waiting answer={answer} />
      {answer.kind === 'ready' && <Figures inventory={answer.value} />}
    </section>
  );
}

function Figures({ inventory }: { inventory: BooksInventory }) {
  const { totals } = inventory;
  return (
    <>
      <ul class="books-list">
        {inventory.scopes.map((scope) => (
          <Row key={SCOPE_FIGURE(scope)} figure={SCOPE_FIGURE(scope)} kg={scope.co2e_kg} />
        ))}
        <Row figure="total_location" kg={totals.location.co2e_kg} strong />
        <Row figure="total_market" kg={totals.market.co2e_kg} strong />
        <Row figure="scope3" kg={inventory.scope3.co2e_kg} />
      </ul>
      <p class="muted small books-facts">
        {t('books.facts', {
          version: inventory.method_version,
          gwp: inventory.gwp_set,
          completeness: percent(inventory.completeness_pct),
          unverified: percent(totals.location.unverified_pct),
        })}
      </p>
      <h3>{t('books.more')}</h3>
      <ul class="books-list">
        {['load', 'unmetered', 'completeness', 'cover'].map((figure) => (
          <Row key={figure} figure={figure} />
        ))}
      </ul>
      <Instruments inventory={inventory} />
      <Cautions inventory={inventory} />
    </>
  );
}

function Row({ figure, kg, strong = false }: { figure: string; kg?: number | null; strong?: boolean }) {
  const chosen = (place.value?.figure ?? 'total_location') === figure;
  return (
    <li>
      <button
        type="button"
        class={`books-row${strong ? ' strong' : ''}`}
        aria-pressed={chosen}
        onClick={() => go({ period: place.peek()?.period ?? null, figure })}
        data-testid={`figure-${figure}`}
      >
        <span>{t(`figure.${figure}` as 'figure.scope1')}</span>
        {kg !== undefined && (
          <span class="num" title={full(kg, 'kgCO₂e')}>
            {tonnesText(kg)}
          </span>
        )}
      </button>
    </li>
  );
}

/** One decimal, as a statement prints tonnes. */
function tonnesText(kg: number | null): string {
  const value = tonnes(kg);
  return value === null ? t('books.unknown') : full(Math.round(value * 10) / 10);
}

function Instruments({ inventory }: { inventory: BooksInventory }) {
  const groups = (['used', 'pending', 'refused'] as const).filter(
    (name) => inventory.instruments[name].length,
  );
  if (groups.length === 0) return null;
  return (
    <>
      <h3>{t('books.instruments')}</h3>
      {groups.map((name) => (
        <div key={name} class="books-group">
          <h4 class="muted">{t(`instrument.${name}`)}</h4>
          <ul class="notes">
            {inventory.instruments[name].map((item, index) => (
              <li key={index}>{instrumentText(item)}</li>
            ))}
          </ul>
        </div>
      ))}
    </>
  );
}

function instrumentText(item: InstrumentUse): string {
  const amount =
    item.kwh != null ? full(item.kwh, 'kWh') : item.kg != null ? full(item.kg / 1000, 't CO₂e') : '';
  const rule = item.rule && item.reason ? `${t('books.rule', { rule: item.rule })}: ` : '';
  return [item.kind, item.serials, amount, item.generated, item.reason && `${rule}${said(item.reason)}`]
    .filter(Boolean)
    .join(' · ');
}

function Cautions({ inventory }: { inventory: BooksInventory }) {
  if (inventory.warnings.length + inventory.not_in_total.length === 0) return null;
  return (
    <details class="books-obstacles">
      <summary>
        {t('books.cautions', { count: inventory.warnings.length + inventory.not_in_total.length })}
      </summary>
      <ul class="notes">
        {inventory.not_in_total.map((item) => (
          <li key={item.point}>
            {t('books.notInTotal')} {item.point}: {item.reason}
          </li>
        ))}
        {inventory.warnings.map((text) => (
          <li key={text}>{said(text)}</li>
        ))}
      </ul>
    </details>
  );
}
