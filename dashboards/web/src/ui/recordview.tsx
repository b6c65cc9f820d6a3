/** The pages of a statement on the screen, from the same record that PDF and spreadsheet are made of. */

import type { ComponentChildren } from 'preact';
import { named, t } from '../i18n';
import { go } from '../lib/books';
import {
  type Bar,
  type Block,
  bars,
  bridgeBars,
  type Cell,
  type Figure,
  type Section,
  type StatementRecord,
  type Step,
} from '../lib/record';
import type { Name } from '../lib/types';

interface Shown {
  figures: Record<string, Figure>;
  period: string;
}

export function FrontPage({ record }: { record: StatementRecord }) {
  const shown = { figures: record.figures, period: record.period };
  return (
    <section class="card paper" data-testid="statement-front">
      <p class="paper-stamp">{named(record.front.stamp)}</p>
      <h3 class="paper-title">{named(record.front.title)}</h3>
      <p class="paper-verdict" data-testid="statement-verdict">
        <strong>{named(record.verdict.label)}</strong> {named(record.verdict.scope_words)}
      </p>
      <p class="paper-sentence">{named(record.verdict.sentence)}</p>
      <div class="paper-bases">
        <Basis label={t('statement.judged')} ids={record.front.judged} shown={shown} />
        <Basis label={t('statement.other')} ids={record.front.other} shown={shown} />
      </div>
      <Notes texts={record.verdict.reasons} />
      <Bridge steps={record.front.bridge.steps} head={record.front.bridge.head} shown={shown} />
      <Notes texts={record.front.boundary} />
      <p class="muted">{named(record.front.verification)}</p>
    </section>
  );
}

function Basis({ label, ids, shown }: { label: string; ids: [string, string]; shown: Shown }) {
  const [total, half] = ids.map((id) => shown.figures[id]);
  return (
    <div>
      <span class="muted">{label}</span>
      <p class="num paper-figure">
        {total?.shown ?? '–'}
        {half?.value != null && ` ± ${half.shown}`} <span class="muted">{total?.unit}</span>
      </p>
    </div>
  );
}

function Notes({ texts }: { texts: Name[] }) {
  if (texts.length === 0) return null;
  return (
    <ul class="notes">
      {texts.map((text) => (
        <li key={text.en}>{named(text)}</li>
      ))}
    </ul>
  );
}

export function Page({ section, shown }: { section: Section; shown: Shown }) {
  return (
    <section class="card paper" id={`page-${section.id}`} aria-labelledby={`head-${section.id}`}>
      <h3 id={`head-${section.id}`}>{named(section.head)}</h3>
      {section.blocks.map((block, index) => (
        <Shape key={index} block={block} shown={shown} />
      ))}
    </section>
  );
}

function Shape({ block, shown }: { block: Block; shown: Shown }) {
  switch (block.block) {
    case 'paragraph':
      return <p class={`paper-${block.style ?? 'normal'}`}>{named(block.text)}</p>;
    case 'pairs':
      return <Pairs rows={block.rows} shown={shown} />;
    case 'table':
      return <Table table={block} shown={shown} />;
    case 'bridge':
      return <Bridge steps={block.steps} head={block.head} shown={shown} />;
    case 'chart':
      return <Chart chart={block} />;
    case 'heat_map':
      return <HeatMap map={block} />;
    case 'box':
      return (
        <Boxed kind={block.kind} head={block.head}>
          {block.blocks.map((inner, index) => (
            <Shape key={index} block={inner} shown={shown} />
          ))}
        </Boxed>
      );
  }
}

function Boxed({ kind, head, children }: { kind: string; head: Name; children: ComponentChildren }) {
  return (
    <div class="paper-box">
      <p class="tag">{t(kind === 'not_counted' ? 'statement.notCounted' : 'statement.otherMethod')}</p>
      <h4>{named(head)}</h4>
      {children}
    </div>
  );
}

function Pairs({ rows, shown }: { rows: [Name, Cell][]; shown: Shown }) {
  return (
    <dl class="paper-pairs">
      {rows.map(([label, cell]) => (
        <div key={label.en}>
          <dt>{named(label)}</dt>
          <dd>
            <CellText cell={cell} shown={shown} withUnit />
          </dd>
        </div>
      ))}
    </dl>
  );
}

type TableBlock = Extract<Block, { block: 'table' }>;

function Table({ table, shown }: { table: TableBlock; shown: Shown }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a table wider than the screen is scrolled with the keyboard, too
    <section class="paper-scroll" tabIndex={0} aria-label={named(table.head)}>
      <table class="paper-table">
        <caption>{named(table.head)}</caption>
        <thead>
          <tr>
            {table.columns.map((column, index) => (
              <th key={index} scope="col" class={column.align === 'left' ? '' : 'num'}>
                {named(column.head)}
                {column.unit && <span class="muted"> {column.unit}</span>}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {table.lines.map((line, row) => (
            <tr key={row} class={`line-${line.style ?? 'normal'}`}>
              {line.cells.map((cell, index) => (
                <td
                  key={index}
                  class={table.columns[index]?.align === 'left' ? '' : 'num'}
                  style={index === 0 && line.indent ? { paddingLeft: `${line.indent + 0.5}rem` } : undefined}
                >
                  <CellText cell={cell} shown={shown} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {table.note && <p class="paper-note">{named(table.note)}</p>}
    </section>
  );
}

/** A figure opens its working in the books, where it has one. */
function CellText({ cell, shown, withUnit = false }: { cell: Cell; shown: Shown; withUnit?: boolean }) {
  if (!cell.figure) return <>{named(cell.text)}</>;
  const figure = shown.figures[cell.figure];
  if (!figure) return <>–</>;
  const text = withUnit ? `${figure.shown} ${figure.unit}` : figure.shown;
  const title = figure.value === null ? undefined : `${figure.value} ${figure.unit}`;
  if (!figure.explain) return <span title={title}>{text}</span>;
  return (
    <button
      type="button"
      class="paper-explain"
      title={title}
      onClick={() => go({ period: shown.period, figure: figure.explain ?? null })}
    >
      {text}
    </button>
  );
}

function Bridge({ steps, head, shown }: { steps: Step[]; head: Name; shown: Shown }) {
  const placed = bridgeBars(steps, shown.figures);
  return (
    <figure class="paper-bridge">
      <figcaption>{named(head)}</figcaption>
      <ol>
        {steps.map((step, index) => (
          <li key={step.figure} class={`step-${step.kind}`}>
            <Column bar={placed.bars[index]} />
            <span class="num">{shown.figures[step.figure]?.shown ?? '–'}</span>
            <span class="muted">{named(step.label)}</span>
          </li>
        ))}
      </ol>
    </figure>
  );
}

function Column({ bar, ghost = false }: { bar: Bar | undefined; ghost?: boolean }) {
  if (!bar?.known) return <span class="column" aria-hidden="true" />;
  return (
    <span class="column" aria-hidden="true">
      <span
        class={ghost ? 'column-bar ghost' : 'column-bar'}
        style={{ bottom: `${bar.low}%`, height: `${Math.max(bar.size, 0.5)}%` }}
      />
    </span>
  );
}

type ChartBlock = Extract<Block, { block: 'chart' }>;

function Chart({ chart }: { chart: ChartBlock }) {
  return (
    <figure class="paper-chart">
      <figcaption>
        {named(chart.head)} <span class="muted">{chart.unit}</span>
      </figcaption>
      {chart.series.map((series) => {
        const placed = bars(series.values);
        return (
          <div key={series.name.en}>
            <span class="muted">{named(series.name)}</span>
            <ol class="columns">
              {chart.labels.map((label, index) => (
                <li key={label} title={`${label}: ${series.values[index] ?? t('statement.noData')}`}>
                  <Column bar={placed.bars[index]} ghost={series.style === 'ghost'} />
                  <span class="hidden">
                    {label} {series.values[index] ?? t('statement.noData')}
                  </span>
                </li>
              ))}
            </ol>
          </div>
        );
      })}
      <p class="paper-ends muted">
        <span>{chart.labels[0]}</span>
        <span>{chart.labels[chart.labels.length - 1]}</span>
      </p>
    </figure>
  );
}

type HeatBlock = Extract<Block, { block: 'heat_map' }>;

function HeatMap({ map }: { map: HeatBlock }) {
  const values = map.values.flat().flatMap((value) => (value === null ? [] : [Number(value)]));
  const top = Math.max(...values, 0) || 1;
  return (
    <figure class="paper-heat">
      <figcaption>
        {named(map.head)} <span class="muted">{map.unit}</span>
      </figcaption>
      <div role="img" aria-label={`${named(map.head)} ${map.unit}`}>
        {map.days.map((day, row) => (
          <div key={day} class="heat-row">
            <span class="muted num">{day.slice(-2)}</span>
            {(map.values[row] ?? []).map((value, hour) => (
              <span
                key={hour}
                class={value === null ? 'heat none' : 'heat'}
                title={`${day} ${hour}: ${value ?? t('statement.noData')}`}
                style={value === null ? undefined : { opacity: 0.08 + (0.92 * Number(value)) / top }}
              />
            ))}
          </div>
        ))}
      </div>
    </figure>
  );
}
