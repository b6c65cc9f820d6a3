import { useState } from 'preact/hooks';
import { named, t, word } from '../i18n';
import { ApiError } from '../lib/api';
import type { Missing, StatementRecord } from '../lib/record';
import {
  newest,
  openStatement,
  type Statement,
  type StatementFile,
  type StatementRow,
  statementPlace,
  statements,
} from '../lib/statements';
import { parkName } from '../lib/store';
import { useAnswer, Waiting } from './answer';
import { FrontPage, Page } from './recordview';
import '../styles/statements.css';

/** All statements of a park, and one of them page by page. */
export function Statements() {
  const park = parkName.value;
  const [turn, setTurn] = useState(0);
  const list = useAnswer(park && `${park} ${turn}`, () => statements.list(park ?? ''));
  if (park === null || list.kind !== 'ready') return <Waiting answer={list} />;
  const chosen = statementPlace.value?.id ?? newest(list.value)?.statement_id ?? null;
  return (
    <div class="statements" data-testid="statements-page">
      <List rows={list.value} chosen={chosen} />
      {chosen !== null && <One key={chosen} park={park} id={chosen} onAct={() => setTurn(turn + 1)} />}
    </div>
  );
}

function List({ rows, chosen }: { rows: StatementRow[]; chosen: number | null }) {
  return (
    <section class="card statements-list" aria-labelledby="statements-title">
      <header class="card-head">
        <h2 id="statements-title">{t('statement.title')}</h2>
      </header>
      {rows.length === 0 && <p class="message">{t('statement.none')}</p>}
      <ul class="books-list">
        {rows.map((row) => (
          <li key={row.statement_id}>
            <button
              type="button"
              class="books-row"
              aria-pressed={row.statement_id === chosen}
              onClick={() => openStatement(row.statement_id)}
              data-testid={`statement-${row.number}-v${row.version}`}
            >
              <span>
                {row.period} · {t(`statement.kind.${row.kind}`)} V{row.version}
              </span>
              <StateTag row={row} />
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

export function StateTag({ row }: { row: StatementRow }) {
  return <span class={`tag statement-${row.state}`}>{word('statement.state', row.state) ?? row.state}</span>;
}

function One({ park, id, onAct }: { park: string; id: number; onAct: () => void }) {
  const [turn, setTurn] = useState(0);
  const one = useAnswer(`${park} ${id} ${turn}`, () => statements.one(park, id));
  const record = useAnswer(`${park} ${id}`, () => statements.record(park, id));
  const again = () => {
    setTurn(turn + 1);
    onAct();
  };
  return (
    <div class="statement-one">
      <Waiting answer={one} />
      {one.kind === 'ready' && <Head park={park} statement={one.value} onAct={again} />}
      <Waiting answer={record} />
      {record.kind === 'ready' && <Pages record={record.value} />}
    </div>
  );
}

function Head({ park, statement, onAct }: { park: string; statement: Statement; onAct: () => void }) {
  return (
    <section class="card statement-head" aria-labelledby="statement-number">
      <header class="card-head">
        <h2 id="statement-number">
          {statement.number} · V{statement.version}
        </h2>
        <StateTag row={statement} />
      </header>
      <p class="muted small">
        {t('statement.digest')} <code>{statement.digest.slice(0, 16)}</code>
      </p>
      <Files park={park} statement={statement} />
      <MissingList missing={statement.missing} />
      <Acts statement={statement} />
      {!['issued', 'locked', 'superseded', 'rejected'].includes(statement.state) && (
        <Decide park={park} statement={statement} onAct={onAct} />
      )}
    </section>
  );
}

function Files({ park, statement }: { park: string; statement: Statement }) {
  if (statement.files.length === 0) return <p class="muted">{t('statement.noFiles')}</p>;
  return (
    <ul class="statement-files">
      {inOrder(statement.files).map((file) => (
        <li key={file.name}>
          <a
            class="button"
            href={statements.fileUrl(park, statement.statement_id, file.name)}
            download={`${statement.number}-V${statement.version}-${file.name}`}
            data-testid={`file-${file.name}`}
          >
            {word('statement.file', file.name.replace(/\W+/g, '_')) ?? file.name}
          </a>
        </li>
      ))}
    </ul>
  );
}

const ORDER = ['zh.pdf', 'en.pdf', 'both.pdf', 'xlsx', 'csv', 'json', 'sig'];

/** What people read first, then what machines read. */
function inOrder(files: readonly StatementFile[]): StatementFile[] {
  return files.toSorted((a, b) => ORDER.indexOf(a.name) - ORDER.indexOf(b.name));
}

export function MissingList({ missing }: { missing: readonly Missing[] }) {
  if (missing.length === 0) return null;
  return (
    <ul class="notes statement-missing" data-testid="statement-missing">
      {missing.map((item) => (
        <li key={item.item}>
          {t('statement.owes', { what: named(item.text), owner: item.owner, due: item.due })}
        </li>
      ))}
    </ul>
  );
}

function Acts({ statement }: { statement: Statement }) {
  return (
    <ul class="notes">
      {statement.acts.map((act) => (
        <li key={`${act.at} ${act.act}`}>
          {word('statement.act', act.act) ?? act.act}: {act.person}, {act.at.slice(0, 16).replace('T', ' ')}
          {act.comment && ` · ${act.comment}`}
        </li>
      ))}
    </ul>
  );
}

const ACTS = ['comment', 'review', 'approve', 'reject'] as const;

/** Whoever decides puts their name to the digest of what is shown. */
function Decide({ park, statement, onAct }: { park: string; statement: Statement; onAct: () => void }) {
  const [text, setText] = useState('');
  const [failed, setFailed] = useState('');
  const [busy, setBusy] = useState(false);
  const act = async (name: string) => {
    setBusy(true);
    setFailed('');
    try {
      await statements.act(park, statement.statement_id, name, text, statement.digest);
      setText('');
      onAct();
    } catch (error) {
      setFailed(error instanceof ApiError ? error.message : String(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <form class="statement-decide" onSubmit={(event) => event.preventDefault()}>
      <label>
        <span class="muted">{t('statement.comment')}</span>
        <textarea
          rows={2}
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
          data-testid="statement-comment"
        />
      </label>
      <div class="statement-buttons">
        {ACTS.map((name) => (
          <button
            key={name}
            type="button"
            class="button"
            disabled={busy || (text.trim() === '' && (name === 'comment' || name === 'reject'))}
            onClick={() => void act(name)}
            data-testid={`act-${name}`}
          >
            {t(`statement.do.${name}`)}
          </button>
        ))}
      </div>
      {failed && (
        <p class="paper-warning" role="alert" data-testid="statement-refused">
          {failed}
        </p>
      )}
    </form>
  );
}

function Pages({ record }: { record: StatementRecord }) {
  const shown = { figures: record.figures, period: record.period };
  return (
    <>
      <FrontPage record={record} />
      {record.sections.map((section) => (
        <Page key={section.id} section={section} shown={shown} />
      ))}
    </>
  );
}
