import { named, said, t, word } from '../i18n';
import { books, type Node, type Source } from '../lib/books';
import { full, short, unitText } from '../lib/format';
import { useAnswer, Waiting } from './answer';
import { moment } from './devices';

const ROWS_SHOWN = 24;
const OPEN_DEPTH = 2;
const OPEN_TERMS = 12;
const SIGN: Record<string, string> = {
  sum: '+',
  difference: '−',
  product: '×',
  quotient: '÷',
  minimum: 'min',
  maximum: 'max',
};

/** A figure as a tree that can be followed down to registers, factor records and certificates. */
export function Explained({ park, period, figure }: { park: string; period: string; figure: string }) {
  const answer = useAnswer(`${park} ${period} ${figure}`, () => books.explain(park, figure, period));
  return (
    <section class="card books-explained" aria-labelledby="explained-title" data-testid="explained">
      <header class="card-head">
        <h2 id="explained-title">{t('explained.title')}</h2>
        <a
          class="button"
          href={books.workbookUrl(park, figure, period)}
          download
          data-testid="explained-workbook"
        >
          {t('explained.workbook')}
        </a>
      </header>
      <Waiting answer={answer} />
      {answer.kind === 'ready' && (
        <>
          <p class="sheet-value">
            <span class="figure num">{short(answer.value.value)}</span>{' '}
            <span class="unit">{unitText(answer.value.unit)}</span>
            <span class="muted num sheet-full">{full(answer.value.value, unitText(answer.value.unit))}</span>
          </p>
          <ul class="tree">
            <Branch node={answer.value} depth={0} sign="" />
          </ul>
        </>
      )}
    </section>
  );
}

function title(node: Node): string {
  return named(node.label) || (word('figure', node.name) ?? node.name.replaceAll('_', ' '));
}

function Branch({ node, depth, sign }: { node: Node; depth: number; sign: string }) {
  const terms = node.terms ?? [];
  const columns = Object.entries(node.columns ?? {});
  const head = <Head node={node} sign={sign} />;
  const inner = (
    <>
      <Origin source={node.source ?? {}} />
      <Notes notes={node.notes ?? []} />
      {columns.length > 0 && <Columns columns={columns} />}
      {terms.length > 0 && (
        <ul class="tree">
          {terms.map((term, index) => (
            <Branch
              key={index}
              node={term}
              depth={depth + 1}
              sign={index === 0 ? '' : (SIGN[node.operation] ?? '')}
            />
          ))}
        </ul>
      )}
    </>
  );
  if (terms.length === 0 && columns.length === 0) {
    return (
      <li class="leaf">
        {head}
        {inner}
      </li>
    );
  }
  return (
    <li>
      <details open={depth < OPEN_DEPTH && terms.length <= OPEN_TERMS}>
        <summary>{head}</summary>
        {inner}
      </details>
    </li>
  );
}

/** How a factor matched stands with the factor already. */
function Notes({ notes }: { notes: string[] }) {
  const texts = notes.filter((note) => !note.startsWith('match: ')).map(said);
  if (texts.length === 0) return null;
  return (
    <ul class="notes small">
      {texts.map((text) => (
        <li key={text}>{text}</li>
      ))}
    </ul>
  );
}

function Head({ node, sign }: { node: Node; sign: string }) {
  return (
    <span class="tree-head">
      <span class="tree-name">
        {sign && <span class="tree-sign">{sign}</span>} {title(node)}
        {node.rule && <span class="tag rule">{t('books.rule', { rule: node.rule })}</span>}
      </span>
      <span class="num tree-value">
        {full(node.value)} <span class="unit">{node.unit === '1' ? '' : unitText(node.unit)}</span>
      </span>
    </span>
  );
}

/** Where a leaf comes from, in one line that an auditor can look up. */
function Origin({ source }: { source: Source }) {
  const text = originText(source);
  return text ? <p class="muted small tree-origin">{text}</p> : null;
}

function originText(source: Source): string {
  if (source.kind === 'register' && source.batch) {
    const { batch } = source;
    const when = source.time ? moment(Date.parse(source.time)) : '';
    const serial = source.serial ? t('explained.serial', { serial: source.serial }) : '';
    const frame = t('explained.batch', {
      source: batch.source,
      boot: batch.boot,
      seq: batch.seq,
      digest: batch.digest.slice(0, 16),
    });
    return [source.point, when, serial, frame].filter(Boolean).join(' · ');
  }
  if (source.kind === 'factor') {
    const match = source.match ? (word('match', source.match.replaceAll('_', '-')) ?? source.match) : '';
    const flag = source.unverified ? t('working.unverified') : '';
    return [source.factor, source.publisher, source.edition, source.data_year, match, flag]
      .filter(Boolean)
      .join(' · ');
  }
  if (source.kind === 'lot') return (source.lots ?? []).join(', ');
  if (source.kind === 'entry') return [source.entry, source.evidence].filter(Boolean).join(' · ');
  return '';
}

function Columns({ columns }: { columns: [string, (number | string | null)[]][] }) {
  const rows = columns[0]?.[1].length ?? 0;
  return (
    <div class="books-columns">
      <table>
        <thead>
          <tr>
            {columns.map(([name]) => (
              <th key={name}>{unitText(name)}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {Array.from({ length: Math.min(rows, ROWS_SHOWN) }, (_, row) => (
            <tr key={row}>
              {columns.map(([name, values]) => {
                const value = values[row] ?? null;
                return (
                  <td key={name} class="num">
                    {typeof value === 'string' ? value : full(value)}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
      {rows > ROWS_SHOWN && <p class="muted small">{t('explained.rows', { shown: ROWS_SHOWN, rows })}</p>}
    </div>
  );
}
