import { useEffect } from 'preact/hooks';
import { language, named, t } from '../i18n';
import { alarmPlace } from '../lib/alarmdoor';
import { place } from '../lib/books';
import { wall } from '../lib/prefs';
import { statementPlace } from '../lib/statements';
import { empty, failed, fresh, hasDevices, hasNow, loadParks, park, parks, session } from '../lib/store';
import { AlarmCard } from './alarmcard';
import { Bar } from './bar';
import { CurveCard } from './curve';
import { Devices } from './devices';
import { EmptyPark } from './empty';
import { FlowCard } from './flow';
import { Gate } from './gate';
import { SheetHost } from './sheet';
import { SignIn } from './signin';
import { StatementCard } from './statementcard';
import { Tenants } from './tenants';
import { Tiles } from './tiles';
import { Wall } from './wall';

const loadBooks = async () => (await import('./books')).Books;
const loadAlarms = async () => (await import('./alarms')).Alarms;
const loadStatements = async () => (await import('./statements')).Statements;

export function App() {
  const name = named(park.value?.name);
  const tongue = language.value;
  useEffect(() => {
    document.title = name ? `${name} · ${t('app.title')}` : `ParkCarbon · ${t('app.title')}`;
  }, [name, tongue]);
  if (session.value === 'out') return <SignIn />;
  if (session.value === 'unknown') return <Waiting />;
  return (
    <>
      <a class="skip" href="#main">
        {t('page.skip')}
      </a>
      <Bar />
      <main id="main" class={fresh.value === 'stale' ? 'main stale' : 'main'} tabIndex={-1}>
        <Content />
      </main>
      <SheetHost />
    </>
  );
}

function Waiting() {
  return (
    <main class="message">
      <p role="status">{failed.value ? t('page.failed') : t('page.loading')}</p>
      {failed.value && (
        <button type="button" class="button" onClick={() => void loadParks()}>
          {t('page.retry')}
        </button>
      )}
    </main>
  );
}

function Content() {
  if (parks.value.length === 0) return <p class="message">{t('parks.none')}</p>;
  if (place.value && !wall.value) return <Gate key="books" load={loadBooks} />;
  if (statementPlace.value && !wall.value) return <Gate key="statements" load={loadStatements} />;
  if (alarmPlace.value && !wall.value) return <Gate key="alarms" load={loadAlarms} />;
  if (empty.value) return <EmptyPark />;
  if (!hasNow.value) return <Waiting />;
  if (wall.value) return <Wall />;
  return (
    <div class="page">
      <Tiles />
      <FlowCard />
      <CurveCard />
      <Tenants />
      <div class="cards">
        <StatementCard />
        <AlarmCard />
      </div>
      {hasDevices.value && <Devices />}
    </div>
  );
}
