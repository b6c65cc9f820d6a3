import { useEffect, useState } from 'preact/hooks';
import { named, t, word } from '../i18n';
import { newest, openStatement, type Statement, statements } from '../lib/statements';
import { parkName } from '../lib/store';

const AGAIN_MS = 5 * 60_000;

/** The newest statement on the live page: where it stands, its PDF, what is pending and who owes it. */
export function StatementCard() {
  const park = parkName.value;
  const [statement, setStatement] = useState<Statement | null>(null);
  useEffect(() => {
    if (park === null) return;
    let gone = false;
    const ask = async () => {
      try {
        const row = newest(await statements.list(park));
        const found = row ? await statements.one(park, row.statement_id) : null;
        if (!gone) setStatement(found);
      } catch {
        // the live page says by itself when nothing can be read; the card keeps what it has
      }
    };
    void ask();
    const timer = setInterval(() => void ask(), AGAIN_MS);
    return () => {
      gone = true;
      clearInterval(timer);
    };
  }, [park]);
  if (park === null || statement === null) return null;
  return <Card park={park} statement={statement} />;
}

function Card({ park, statement }: { park: string; statement: Statement }) {
  const pdf = statement.files.find((file) => file.name === t('statement.pdfName'));
  return (
    <section class="card statement-card" aria-labelledby="statement-card-title" data-testid="statement-card">
      <header class="card-head">
        <h2 id="statement-card-title">
          {t(`statement.kind.${statement.kind}`)} {statement.period}
        </h2>
        <span class={`tag statement-${statement.state}`}>
          {word('statement.state', statement.state) ?? statement.state} · V{statement.version}
        </span>
        <span class="statement-links">
          {pdf && (
            <a class="button" href={statements.fileUrl(park, statement.statement_id, pdf.name)} download>
              PDF
            </a>
          )}
          <button
            type="button"
            class="button"
            onClick={() => openStatement(statement.statement_id)}
            data-testid="statement-open"
          >
            {t('statement.open')}
          </button>
        </span>
      </header>
      <p class="statement-verdict">
        <strong>{word('verdict', statement.verdict) ?? statement.verdict}</strong>
        <span class="muted"> {t('statement.pending', { count: statement.missing.length })}</span>
      </p>
      {statement.missing.length > 0 && (
        <ul class="notes">
          {statement.missing.slice(0, 3).map((item) => (
            <li key={item.item}>
              {t('statement.owes', { what: named(item.text), owner: item.owner, due: item.due })}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
