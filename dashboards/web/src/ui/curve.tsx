import { useEffect, useRef, useState } from 'preact/hooks';
import { language, named, t, word } from '../i18n';
import type { Curve, Slot } from '../lib/curve';
import { full, short } from '../lib/format';
import { paint } from '../lib/prefs';
import { chosenTenant, clock, loadCurve, timezone, today } from '../lib/store';
import { localMinute } from '../lib/time';
import type { Chart } from './chart';

type Part = 'pv' | 'discharge' | 'grid' | 'load' | 'yesterday';

export function CurveCard() {
  const state = today.value;
  const single = chosenTenant.value !== null;
  useEffect(() => {
    // what was asked for while the park was empty, or before the books were opened, is old by now
    if (today.peek().kind === 'ready') void loadCurve();
  }, []);
  return (
    <section class="card curve-card" aria-labelledby="curve-title">
      <header class="card-head">
        <h2 id="curve-title">
          {t('curve.title')}
          {single && <span class="scope">{named(chosenTenant.value?.name)}</span>}
        </h2>
        <span class="muted">{t('curve.average')}</span>
      </header>
      {state.kind === 'failed' && (
        <p class="message">
          {t('curve.failed')}{' '}
          <button type="button" class="button" onClick={() => void loadCurve()}>
            {t('page.retry')}
          </button>
        </p>
      )}
      {state.kind === 'loading' && <p class="message">{t('page.loading')}</p>}
      {state.kind === 'ready' && <Ready curve={state.curve} single={single} />}
    </section>
  );
}

function Ready({ curve, single }: { curve: Curve; single: boolean }) {
  const known = curve.slots.filter((slot) => slot.load !== null);
  const hours = Math.round((curve.day.end - curve.day.start) / 3_600_000);
  return (
    <>
      {known.length === 0 && curve.slots.every((slot) => slot.yesterday === null) ? (
        <p class="message">{t('curve.empty')}</p>
      ) : (
        <Plot curve={curve} single={single} />
      )}
      <footer class="legend">
        {parts(curve, single).map((part) => (
          <span key={part} class={`key key-${part}`}>
            {t(part === 'load' && single ? 'curve.tenantLoad' : `curve.${part}`)}
          </span>
        ))}
        {known.some((slot) => slot.estimated) && (
          <span class="key key-estimated">{t('curve.estimated')}</span>
        )}
        {hours !== 24 && <span class="day-hours">{t('curve.dayHours', { hours })}</span>}
      </footer>
    </>
  );
}

/** Parts that the day has, in drawing order. */
function parts(curve: Curve, single: boolean): Part[] {
  const has = (part: Part) => curve.slots.some((slot) => (slot[part] ?? 0) > 0);
  const all: Part[] = single ? ['load', 'yesterday'] : ['pv', 'discharge', 'grid', 'load', 'yesterday'];
  return all.filter(has);
}

/** The chart, made once and redrawn; a theme, size or language change only redraws. */
function Plot({ curve, single }: { curve: Curve; single: boolean }) {
  const host = useRef<HTMLDivElement>(null);
  const chart = useRef<Chart | null>(null);
  const [ready, setReady] = useState(0);
  const [at, setAt] = useState<number | null>(null);
  const zone = timezone.value;
  const repaint = paint.value;
  const tongue = language.value;

  useEffect(() => {
    let gone = false;
    let observer: ResizeObserver | null = null;
    void import('./chart').then(({ Chart: Made }) => {
      if (gone || !host.current) return;
      chart.current = new Made(host.current);
      observer = new ResizeObserver(() => {
        chart.current?.resize();
        setReady((count) => count + 1);
      });
      observer.observe(host.current);
      setReady((count) => count + 1);
    });
    return () => {
      gone = true;
      observer?.disconnect();
      chart.current?.dispose();
      chart.current = null;
    };
  }, []);

  useEffect(() => {
    const element = host.current;
    if (!element || !chart.current) return;
    const text = Number.parseFloat(getComputedStyle(element).fontSize);
    chart.current.draw(curve, { timezone: zone, text, single });
  }, [curve, single, zone, ready, repaint, tongue]);

  const slots = curve.slots;
  const step = (by: number) => {
    const last = slots.findLastIndex((slot) => slot.load !== null);
    setAt((old) => Math.min(slots.length - 1, Math.max(0, (old ?? last) + by)));
  };
  const point = (event: PointerEvent) => {
    const box = host.current?.getBoundingClientRect();
    if (!box || !chart.current) return;
    const ms = chart.current.instant(event.clientX - box.left);
    const index = slots.findIndex((slot) => ms >= slot.start && ms < slot.end);
    setAt(index < 0 ? null : index);
  };
  const slot = at === null ? undefined : slots[at];
  const peak = Math.max(0, ...slots.map((item) => item.load ?? 0));
  return (
    <div class="plot">
      <div
        class="plot-area"
        data-testid="curve"
        data-slots={slots.length}
        data-gaps={slots.filter((item) => item.load === null && item.end <= clock.peek()).length}
        data-estimated={slots.filter((item) => item.estimated).length}
        role="slider"
        aria-valuemin={0}
        aria-valuemax={slots.length - 1}
        aria-valuenow={at ?? slots.findLastIndex((item) => item.load !== null)}
        aria-valuetext={
          slot ? `${localMinute(zone, slot.start)} ${full(slot.load, 'kW')}` : `${short(peak)} kW`
        }
        aria-label={`${t('curve.label', {
          from: localMinute(zone, curve.day.start),
          to: localMinute(zone, clock.value),
          peak: short(peak),
        })}. ${t('curve.help')}`}
        tabIndex={0}
        onPointerMove={point}
        onPointerLeave={() => setAt(null)}
        onBlur={() => setAt(null)}
        onKeyDown={(event) => {
          if (event.key === 'ArrowLeft') step(-1);
          else if (event.key === 'ArrowRight') step(1);
          else if (event.key === 'Escape') setAt(null);
          else return;
          event.preventDefault();
        }}
      >
        <div class="plot-canvas" ref={host} />
      </div>
      {slot && chart.current && <Reading slot={slot} chart={chart.current} single={single} />}
    </div>
  );
}

function Reading({ slot, chart, single }: { slot: Slot; chart: Chart; single: boolean }) {
  const zone = timezone.value;
  const middle = chart.pixel((slot.start + slot.end) / 2);
  const right = middle > chart.width() * 0.55;
  const rows: [Part, number | null][] = single
    ? [['load', slot.load]]
    : [
        ['load', slot.load],
        ['grid', slot.grid],
        ['discharge', slot.discharge],
        ['pv', slot.pv],
      ];
  rows.push(['yesterday', slot.yesterday]);
  return (
    <>
      <div class="cursor" style={{ left: `${middle}px` }} />
      <div class="reading" data-side={right ? 'left' : 'right'} style={{ left: `${middle}px` }} role="status">
        <strong class="num">
          {localMinute(zone, slot.start)}–{localMinute(zone, slot.end)}
        </strong>
        {slot.load === null && <em>{t('curve.missing')}</em>}
        {slot.estimated && <em>{word('method', slot.method)}</em>}
        <dl>
          {rows
            .filter(([, value]) => value !== null)
            .map(([part, value]) => (
              <div key={part}>
                <dt class={`key key-${part}`}>
                  {t(part === 'load' && single ? 'curve.tenantLoad' : `curve.${part}`)}
                </dt>
                <dd class="num">{full(value, 'kW')}</dd>
              </div>
            ))}
        </dl>
      </div>
    </>
  );
}
