import { useEffect, useRef, useState } from 'preact/hooks';
import { named, t } from '../i18n';
import { type FlowSize, layout, type PlacedNode, type Ribbon } from '../lib/flow';
import { full, MISSING, short } from '../lib/format';
import { wall } from '../lib/prefs';
import { filterBy, now, sheet, tenant, timezone } from '../lib/store';
import { localClock } from '../lib/time';
import type { FigureName, Flow, FlowEdge, FlowNode } from '../lib/types';
import { KindIcon } from './icons';

const TENANT = 'tenant-';

export function FlowCard() {
  const flow = now.value?.flow;
  if (!flow) return null;
  const stamp = flow.at;
  const imbalance = flow.imbalance_kw ?? 0;
  return (
    <section class="card flow-card" aria-labelledby="flow-title">
      <header class="card-head">
        <h2 id="flow-title">{t('flow.title')}</h2>
        {stamp && (
          <span class="muted num">
            {t('flow.asOf', { time: localClock(timezone.value, Date.parse(stamp)) })}
          </span>
        )}
      </header>
      {flow.edges.length === 0 ? <p class="message">{t('flow.empty')}</p> : <Diagram flow={flow} />}
      <footer class="card-foot muted">
        <span>{t('flow.mix')}</span>
        {Math.abs(imbalance) >= 0.05 && (
          <span class="imbalance num" title={full(imbalance, 'kW')}>
            {t('flow.imbalance')} {short(imbalance)} kW
          </span>
        )}
      </footer>
    </section>
  );
}

/** Sizes follow the text size, so that one layout serves phone, desk and wall. */
function sizeOf(width: number, height: number, rem: number): FlowSize {
  const narrow = width < 34 * rem;
  return {
    width,
    height,
    labelLeft: (narrow ? 6.4 : 12.2) * rem,
    labelRight: (narrow ? 8.4 : 14.2) * rem,
    line: 1.22 * rem,
    nameLines: narrow ? 2 : 1.1,
  };
}

function Diagram({ flow }: { flow: Flow }) {
  const host = useRef<HTMLDivElement>(null);
  const [box, setBox] = useState<{ width: number; height: number; rem: number } | null>(null);
  useEffect(() => {
    const element = host.current;
    if (!element) return;
    const observer = new ResizeObserver(() => {
      const rem = Number.parseFloat(getComputedStyle(element).fontSize);
      const { clientWidth: width, clientHeight: height } = element;
      setBox((old) =>
        old && old.width === width && old.height === height && old.rem === rem ? old : { width, height, rem },
      );
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return (
    <div class="flow" ref={host} data-testid="flow" data-at={flow.at ?? ''} data-now={now.value?.at ?? ''}>
      {box && box.width > 0 && <Picture flow={flow} size={sizeOf(box.width, box.height, box.rem)} />}
    </div>
  );
}

function Picture({ flow, size }: { flow: Flow; size: FlowSize }) {
  const picture = layout(flow, size);
  const names = new Map(flow.nodes.map((node) => [node.node, named(node.name)]));
  const heights = new Map(picture.nodes.map((placed) => [placed.node.node, placed.y]));
  const chosen = tenant.value;
  const faded = (edge: FlowEdge) =>
    chosen !== null &&
    (edge.to.startsWith(TENANT) || edge.to.startsWith('unmetered')) &&
    edge.to !== TENANT + chosen;
  return (
    <>
      <svg
        class="flow-svg"
        width={size.width}
        height={size.height}
        viewBox={`0 0 ${size.width} ${size.height}`}
        aria-hidden="true"
      >
        {picture.ribbons.map((ribbon) => (
          <RibbonShape
            key={`${ribbon.edge.from}>${ribbon.edge.to}`}
            ribbon={ribbon}
            faded={faded(ribbon.edge)}
          />
        ))}
        {picture.nodes.map((placed) => (
          <rect
            key={placed.node.node}
            class={`bar-node kind-${placed.node.kind}`}
            x={placed.x}
            y={placed.y - placed.height / 2}
            width={placed.width}
            height={placed.height}
            rx={Math.min(2, placed.height / 2)}
          />
        ))}
      </svg>
      {picture.nodes.map((placed) => (
        <NodeLabel
          key={placed.node.node}
          placed={placed}
          flow={flow}
          size={size}
          names={names}
          heights={heights}
        />
      ))}
      {picture.ribbons
        .filter((ribbon) => ribbon.middle)
        .map((ribbon) => (
          <span
            key={`${ribbon.edge.from}>${ribbon.edge.to}`}
            class="flow-pill num"
            style={{ left: `${ribbon.arrow.x}px`, top: `${ribbon.arrow.y}px` }}
            {...edgeData(ribbon.edge)}
          >
            {short(ribbon.edge.kw)} kW
          </span>
        ))}
    </>
  );
}

function RibbonShape({ ribbon, faded }: { ribbon: Ribbon; faded: boolean }) {
  const { edge, arrow } = ribbon;
  const idle = edge.kw === 0;
  return (
    <g
      class={`ribbon${faded ? ' faded' : ''}${idle ? ' idle' : ''}`}
      data-ribbon={`${edge.from}>${edge.to}`}
      data-thickness={ribbon.thickness.toFixed(2)}
    >
      {idle ? (
        <path class="idle-line" d={ribbon.centre} />
      ) : (
        ribbon.bands.map((band) => <path key={band.kind} class={`band fill-${band.kind}`} d={band.path} />)
      )}
      {!idle && <path class={`pulse ink-${ribbon.dominant}`} d={ribbon.centre} />}
      {!idle && (
        <path
          class={`chevron ink-${ribbon.dominant}`}
          transform={`translate(${arrow.x.toFixed(1)} ${arrow.y.toFixed(1)}) rotate(${arrow.angle.toFixed(1)}) scale(${arrow.size.toFixed(1)})`}
          d="M-.7-.8.5 0l-1.2.8"
        />
      )}
    </g>
  );
}

function edgeData(edge: FlowEdge) {
  return {
    'data-testid': `flow-edge-${edge.from}-${edge.to}`,
    'data-kw': edge.kw,
    title: full(edge.kw, 'kW'),
  };
}

/** Which way a node with two directions runs now. */
function direction(node: FlowNode, flow: Flow): string | null {
  if (node.kw === null) return null; // unknown is not idle
  const gives = flow.edges.some((edge) => edge.from === node.node && edge.kw > 0);
  const takes = flow.edges.some((edge) => edge.to === node.node && edge.kw > 0);
  if (node.kind === 'grid') return gives ? t('flow.import') : takes ? t('flow.export') : t('flow.idle');
  if (node.kind === 'battery') return gives ? t('flow.discharge') : takes ? t('flow.charge') : t('flow.idle');
  return null;
}

function openWorking(edge: FlowEdge): void {
  const thermal = ['gas', 'heat', 'bus-heat'].includes(edge.from);
  const figure: FigureName = thermal ? 'emission_rate' : 'load';
  sheet.value = { kind: 'working', figure };
}

interface LabelProps {
  placed: PlacedNode;
  flow: Flow;
  size: FlowSize;
  names: Map<string, string>;
  heights: Map<string, number>;
}

function NodeLabel({ placed, flow, size, names, heights }: LabelProps) {
  const { node, side } = placed;
  const other = (edge: FlowEdge) => heights.get(edge.from === node.node ? edge.to : edge.from) ?? 0;
  const edges = flow.edges
    .filter((edge) => edge.from === node.node || edge.to === node.node)
    .sort((a, b) => other(a) - other(b)); // as the ribbons arrive
  const name = names.get(node.node) ?? node.node;
  const heading = direction(node, flow);
  if (side === 'hub') return <HubLabel placed={placed} name={name} size={size} />;
  const box =
    side === 'left'
      ? { left: '0px', width: `${size.labelLeft - 8}px`, top: `${placed.y}px` }
      : {
          left: `${size.width - size.labelRight + 8}px`,
          width: `${size.labelRight - 8}px`,
          top: `${placed.y}px`,
        };
  const id = node.kind === 'tenant' && node.node.startsWith(TENANT) ? node.node.slice(TENANT.length) : null;
  return (
    <div
      class={`flow-node flow-${side} node-${node.kind}`}
      style={box}
      data-node={node.node}
      data-kw={node.kw ?? ''}
    >
      <KindIcon kind={node.kind} />
      <div class="flow-words">
        {id !== null && !wall.value ? (
          <button
            type="button"
            class="flow-name link"
            aria-pressed={tenant.value === id}
            title={t('tenants.filter', { name })}
            onClick={() => filterBy(id)}
          >
            {name}
          </button>
        ) : (
          <span class="flow-name" title={name}>
            {name}
            {heading && <em>{heading}</em>}
          </span>
        )}
        {edges.length === 0 && (
          <span class="flow-kw num muted">{node.kw === null ? MISSING : `${short(node.kw)} kW`}</span>
        )}
        {edges.map((edge) => (
          <EdgeLabel key={`${edge.from}>${edge.to}`} edge={edge} names={names} marked={edges.length > 1} />
        ))}
      </div>
    </div>
  );
}

function EdgeLabel({ edge, names, marked }: { edge: FlowEdge; names: Map<string, string>; marked: boolean }) {
  const ends = { from: names.get(edge.from) ?? edge.from, to: names.get(edge.to) ?? edge.to };
  const carrier =
    edge.from === 'gas' || edge.from === 'heat' ? edge.from : edge.from === 'bus-heat' ? 'heat' : 'bus';
  return (
    <button
      type="button"
      class="flow-kw num link"
      aria-label={t('flow.summary', { ...ends, kw: short(edge.kw) })}
      onClick={() => openWorking(edge)}
      {...edgeData(edge)}
    >
      {marked && <KindIcon kind={carrier} />}
      {short(edge.kw)} <span class="unit">kW</span>
    </button>
  );
}

/** Rough width of a text [em]: a Chinese character is as wide as it is high, a Latin one about half. */
function textWidth(text: string): number {
  let width = 0;
  for (const letter of text) width += letter > '\u2e7f' ? 1 : 0.56;
  return width;
}

/** Along the bar where name and value, or at least the value, fit; else above it. */
function HubLabel({ placed, name, size }: { placed: PlacedNode; name: string; size: FlowSize }) {
  const room = placed.height / (size.line / 1.22) - 0.8;
  const value = textWidth(`${short(placed.node.kw)} kW`) + 0.6;
  const along = value < room;
  const named = !along || value + textWidth(name) < room;
  const top = along ? placed.y : placed.y - placed.height / 2 - 4;
  return (
    <div
      class={along ? 'flow-hub along' : 'flow-hub'}
      style={{ left: `${placed.x + placed.width / 2}px`, top: `${top}px` }}
      data-node={placed.node.node}
      data-kw={placed.node.kw ?? ''}
    >
      {named && <span>{name}</span>}
      <span class="flow-kw num" title={`${name} ${full(placed.node.kw, 'kW')}`}>
        {short(placed.node.kw)} <span class="unit">kW</span>
      </span>
    </div>
  );
}
