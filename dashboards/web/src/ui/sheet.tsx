import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { named, said, t, word } from '../i18n';
import { ApiError, api } from '../lib/api';
import { full, MISSING, percent, short, unitText } from '../lib/format';
import { devices, now, parkName, sheet } from '../lib/store';
import type { Device, Factor, FigureName, Working, WorkingTerm } from '../lib/types';
import { lastSeenLabel, moment, tenantName } from './devices';
import { Close, StateMark } from './icons';

export function SheetHost() {
  const target = sheet.value;
  if (!target) return null;
  if (target.kind === 'device') {
    const item = devices.value.find((candidate) => candidate.device === target.device);
    return item ? <DeviceSheet item={item} /> : null;
  }
  return <WorkingSheet figure={target.figure} tenant={target.tenant ?? null} />;
}

function Drawer({ title, testid, children }: { title: string; testid: string; children: ComponentChildren }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  const close = () => dialog.current?.close();
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape and the close button do it by keyboard; this is a click outside
    <dialog
      ref={dialog}
      class="sheet"
      data-testid={testid}
      aria-labelledby="sheet-title"
      onClose={() => {
        sheet.value = null;
      }}
      onClick={(event) => {
        if (event.target === dialog.current) close();
      }}
    >
      <div class="sheet-body">
        <header class="sheet-head">
          <h2 id="sheet-title">{title}</h2>
          <button type="button" class="tool" aria-label={t('working.close')} onClick={close}>
            <Close />
          </button>
        </header>
        {children}
      </div>
    </dialog>
  );
}

type State = { kind: 'loading' } | { kind: 'failed'; reason: string } | { kind: 'ready'; working: Working };

function WorkingSheet({ figure, tenant }: { figure: FigureName; tenant: string | null }) {
  const [state, setState] = useState<State>({ kind: 'loading' });
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    let gone = false;
    const name = parkName.peek();
    if (name === null) return;
    setState({ kind: 'loading' });
    api
      .working(name, figure, now.peek()?.at ?? null)
      .then((working) => {
        if (!gone) setState({ kind: 'ready', working });
      })
      .catch((error: unknown) => {
        if (!gone)
          setState({ kind: 'failed', reason: error instanceof ApiError ? error.message : String(error) });
      });
    return () => {
      gone = true;
    };
  }, [figure, attempt]);
  return (
    <Drawer title={t(`tile.${figure}`)} testid="working-sheet">
      {tenant !== null && <TenantNumbers tenant={tenant} />}
      {state.kind === 'loading' && <p class="message">{t('working.loading')}</p>}
      {state.kind === 'failed' && (
        <p class="message" role="alert">
          {t('working.failed', { reason: state.reason })}{' '}
          <button type="button" class="button" onClick={() => setAttempt(attempt + 1)}>
            {t('working.retry')}
          </button>
        </p>
      )}
      {state.kind === 'ready' && <WorkingBody working={state.working} />}
    </Drawer>
  );
}

/** What the tenant's row shows in full, above the working of the park's figure that it is part of. */
function TenantNumbers({ tenant }: { tenant: string }) {
  const item = now.value?.tenants.find((candidate) => candidate.tenant === tenant);
  if (!item) return null;
  return (
    <section class="sheet-part">
      <h3>{named(item.name)}</h3>
      <dl class="facts">
        <Fact label={t('tenants.power')}>{full(item.power_kw, 'kW')}</Fact>
        <Fact label={t('tenants.today')}>{full(item.energy_today_kwh, 'kWh')}</Fact>
        <Fact label={t('tenants.co2e')}>{full(item.co2e_today_kg, 'kgCO₂e')}</Fact>
      </dl>
    </section>
  );
}

function WorkingBody({ working }: { working: Working }) {
  const share = working.unit === '%';
  return (
    <>
      <p class="sheet-value">
        <span class="figure num">{share ? percent(working.value) : short(working.value)}</span>{' '}
        <span class="unit">{unitText(working.unit)}</span>
        <span class="muted num sheet-full">
          {full(working.value, unitText(working.unit))} · {t('working.at')} {moment(Date.parse(working.at))}
        </span>
      </p>
      <section class="sheet-part">
        <h3>{t('working.formula')}</h3>
        <p class="formula">{unitText(said(working.formula))}</p>
      </section>
      {working.terms.length > 0 && (
        <section class="sheet-part">
          <h3>{t('working.terms')}</h3>
          <ul class="terms">
            {working.terms.map((term, index) => (
              <TermRow key={index} term={term} />
            ))}
          </ul>
        </section>
      )}
      <section class="sheet-part">
        <h3>{t('working.factors')}</h3>
        {working.factors.length === 0 && <p class="muted">{t('working.noFactors')}</p>}
        {working.factors.map((factor, index) => (
          <FactorCard key={index} factor={factor} />
        ))}
      </section>
      {working.notes.length > 0 && (
        <section class="sheet-part">
          <h3>{t('working.notes')}</h3>
          <ul class="notes">
            {working.notes.map((note) => (
              <li key={note}>{said(note)}</li>
            ))}
          </ul>
        </section>
      )}
    </>
  );
}

function TermRow({ term }: { term: WorkingTerm }) {
  const register = term.register ?? null;
  const start = term.start_register ?? null;
  const seen = [reading(start, term.start_time), reading(register, term.time)].filter(
    (item) => item !== null,
  );
  const quality = term.quality ? (word('quality', term.quality) ?? term.quality) : null;
  return (
    <li>
      <span class="term-label">{said(term.label)}</span>
      <span class="term-value num">{full(term.value, unitText(term.unit))}</span>
      {term.point && <span class="term-detail muted">{term.point}</span>}
      {seen.length > 0 && (
        <span class="term-detail muted num">
          {register !== null && `${t('working.register')} `}
          {seen.join(' → ')}
          {quality && ` (${quality})`}
        </span>
      )}
    </li>
  );
}

/** What a register showed and when. */
function reading(value: number | null, time: string | null | undefined): string | null {
  const when = time ? moment(Date.parse(time)) : null;
  if (value === null) return when;
  return when === null ? full(value) : `${full(value)} @ ${when}`;
}

function Fact({ label, children }: { label: string; children: ComponentChildren }) {
  if (children === null || children === '') return null;
  return (
    <div>
      <dt>{label}</dt>
      <dd class="num">{children}</dd>
    </div>
  );
}

function FactorCard({ factor }: { factor: Factor }) {
  return (
    <article class={factor.unverified ? 'factor unverified' : 'factor'}>
      <header>
        <code>{factor.factor}</code>
        <strong class="num">
          {factor.value === null ? t('working.series') : full(factor.value)}{' '}
          <span class="unit">{unitText(factor.unit)}</span>
        </strong>
      </header>
      <p class="tags">
        <span class={`tag match-${factor.match}`}>
          {t('working.match')}:{' '}
          {word('match', factor.match.toLowerCase().replaceAll('_', '-')) ?? factor.match}
        </span>
        {factor.fallback && <span class="tag warn">{t('working.fallback')}</span>}
        {factor.unverified && <span class="tag warn">{t('working.unverified')}</span>}
      </p>
      <dl class="facts">
        <Fact label={t('working.dataYear')}>{factor.data_year}</Fact>
        <Fact label={t('working.region')}>{factor.region}</Fact>
        <Fact label={t('working.purpose')}>{word('purpose', factor.purpose) ?? factor.purpose}</Fact>
        <Fact label={t('working.gas')}>{unitText(factor.gas)}</Fact>
        <Fact label={t('working.basis')}>{said(factor.basis)}</Fact>
        <Fact label={t('working.publisher')}>{factor.publisher}</Fact>
        <Fact label={t('working.edition')}>{factor.edition}</Fact>
        <Fact label={t('working.published')}>{factor.published_on}</Fact>
      </dl>
      {factor.unverified && <p class="small">{t('working.unverifiedNote')}</p>}
    </article>
  );
}

function DeviceSheet({ item }: { item: Device }) {
  return (
    <Drawer title={named(item.name)} testid="device-sheet">
      <p class="sheet-state">
        <StateMark state={item.state} /> <strong>{t(`devices.${item.state}`)}</strong>
        {item.last_seen && (
          <span class="muted num">
            {t(lastSeenLabel(item))} {moment(Date.parse(item.last_seen))}
          </span>
        )}
      </p>
      <dl class="facts">
        <Fact label={t('devices.detail')}>{item.detail}</Fact>
        <Fact label={t('devices.profile')}>{item.profile}</Fact>
        <Fact label={t('devices.tenant')}>{tenantName(item.tenant)}</Fact>
        <Fact label={t('devices.bus')}>{item.bus}</Fact>
        <Fact label={t('devices.source')}>{item.source}</Fact>
      </dl>
      <section class="sheet-part">
        <h3>{t('devices.points')}</h3>
        <ul class="terms">
          {item.points.map((point) => (
            <li key={point.point}>
              <span class="term-label">{point.quantity}</span>
              <span class="term-value num">
                {point.value === null ? MISSING : full(point.value, unitText(point.unit))}
              </span>
              <span class="term-detail muted num">
                {[
                  point.point,
                  point.time && moment(Date.parse(point.time)),
                  point.quality && (word('quality', point.quality) ?? point.quality),
                ]
                  .filter(Boolean)
                  .join(' · ')}
              </span>
            </li>
          ))}
        </ul>
      </section>
    </Drawer>
  );
}
