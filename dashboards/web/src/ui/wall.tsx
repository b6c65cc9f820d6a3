import { useEffect, useState } from 'preact/hooks';
import { named, t } from '../i18n';
import { full, short, tonnes } from '../lib/format';
import { wall } from '../lib/prefs';
import { now } from '../lib/store';
import { CurveCard } from './curve';
import { FlowCard } from './flow';
import { Arrow } from './icons';
import { rank, TenantChange } from './tenants';
import { FIGURES, LastWeek, type Line, tileModel } from './tiles';

const VIEWS = ['overview', 'tenants'] as const;
const TURN_MS = 20_000;

/** For a screen across the room: no scrolling, large type, views that take turns. */
export function Wall() {
  const [view, setView] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setView((old) => (old + 1) % VIEWS.length), TURN_MS);
    const leave = (event: KeyboardEvent) => {
      if (event.key === 'Escape') wall.value = false;
      if (event.key === 'ArrowRight') setView((old) => (old + 1) % VIEWS.length);
      if (event.key === 'ArrowLeft') setView((old) => (old + VIEWS.length - 1) % VIEWS.length);
    };
    addEventListener('keydown', leave);
    return () => {
      clearInterval(timer);
      removeEventListener('keydown', leave);
    };
  }, []);
  const current = VIEWS[view] ?? 'overview';
  return (
    <div class="wall-page" data-testid="wall-page" data-view={current}>
      {current === 'overview' ? <Overview /> : <WallTenants />}
      <footer class="wall-foot">
        <span class="muted wall-key">
          <Arrow direction="up" />
          <Arrow direction="down" /> {t('tile.lastWeek')}
        </span>
        <nav class="wall-turn" aria-label={t('bar.wall')}>
          {VIEWS.map((name, index) => (
            <button key={name} type="button" aria-pressed={index === view} onClick={() => setView(index)}>
              {t(`wall.${name}`)}
            </button>
          ))}
        </nav>
      </footer>
    </div>
  );
}

function Overview() {
  return (
    <div class="wall-overview">
      <WallTiles />
      <FlowCard />
      <CurveCard />
    </div>
  );
}

function WallTiles() {
  const figures = now.value?.figures;
  if (!figures) return null;
  return (
    <div class="wall-tiles">
      {FIGURES.map((figure) => {
        const model = tileModel(figure, figures);
        return (
          <article key={figure} class="tile" data-testid={`tile-${figure}`}>
            <h2>{t(`tile.${figure}`)}</h2>
            <p class="value num" title={model.title} data-value={model.raw ?? ''}>
              <span class="figure">{model.value}</span>
            </p>
            <div class="wall-under">
              <span class="unit">{model.unit}</span>
              <LastWeek model={model} brief />
            </div>
          </article>
        );
      })}
    </div>
  );
}

function WallTenants() {
  const figures = now.value?.figures;
  const tenants = now.value?.tenants ?? [];
  return (
    <div class="wall-tenants">
      <section class="card" aria-labelledby="wall-rank">
        <header class="card-head">
          <h2 id="wall-rank">{t('wall.rank')}</h2>
        </header>
        <ol class="wall-ranks">
          {rank(tenants)
            .slice(0, 8)
            .map((item) => (
              <li key={item.tenant.tenant} data-testid={`tenant-${item.tenant.tenant}`}>
                <span class="wall-name">{named(item.tenant.name)}</span>
                <span class="track">
                  <span class="fill" style={{ width: `${(item.length * 100).toFixed(1)}%` }} />
                </span>
                <span class="num" title={full(item.tenant.energy_today_kwh, 'kWh')}>
                  {short(item.tenant.energy_today_kwh)} <span class="unit">kWh</span>
                </span>
                <span class="num" title={full(item.tenant.co2e_today_kg, 'kgCO₂e')}>
                  {short(tonnes(item.tenant.co2e_today_kg))} <span class="unit">t</span>
                </span>
                <TenantChange it={item.tenant} />
              </li>
            ))}
        </ol>
      </section>
      {figures && (
        <section class="card wall-split">
          {(['emission_rate', 'emissions_today', 'pv'] as const).map((figure) => {
            const model = tileModel(figure, figures);
            return (
              <div key={figure}>
                <h2>
                  {t(`tile.${figure}`)} <span class="unit">{model.unit}</span>
                </h2>
                <dl class="lines">
                  {model.lines.map((item: Line) => (
                    <div key={item.label}>
                      <dt>{item.label}</dt>
                      <dd class="num" title={item.title}>
                        {item.value}
                        {item.unit && <span class="unit"> {item.unit}</span>}
                      </dd>
                    </div>
                  ))}
                </dl>
              </div>
            );
          })}
        </section>
      )}
    </div>
  );
}
