/**
 * Geometry of the flow diagram: where each node stands, how thick each ribbon is, which colours run in it.
 *
 * Everything is drawn from the edges as the API sends them. A node's kW is never recomputed into an edge; what does not
 * balance shows as `gap`.
 */

import type { Flow, FlowEdge, FlowNode, NodeKind } from './types';

export type SourceKind = Exclude<NodeKind, 'bus'>;

export interface FlowSize {
  width: number;
  height: number;
  /** Width kept for the names on either side. */
  labelLeft: number;
  labelRight: number;
  /** Height of one line of text: a node with two edges needs room for a name and two lines. */
  line: number;
  /** Lines that a name may take. */
  nameLines: number;
}

export interface PlacedNode {
  node: FlowNode;
  side: 'left' | 'hub' | 'right';
  x: number;
  /** Middle of the node's slot. */
  y: number;
  /** Height of the bar: throughput to scale. */
  height: number;
  width: number;
  inKw: number;
  outKw: number;
}

export interface Band {
  kind: SourceKind;
  path: string;
}

export interface Ribbon {
  edge: FlowEdge;
  bands: Band[];
  /** Centre line in the direction of flow. */
  centre: string;
  thickness: number;
  dominant: SourceKind;
  arrow: { x: number; y: number; angle: number; size: number };
  /** Between two hubs: the label stands on the ribbon, elsewhere beside the outer node. */
  middle: boolean;
}

export interface FlowLayout {
  nodes: PlacedNode[];
  ribbons: Ribbon[];
  scale: number;
}

const LEFT_ORDER: NodeKind[] = ['pv', 'grid', 'battery', 'heat', 'gas'];
const BAND_ORDER: SourceKind[] = ['pv', 'battery', 'grid', 'heat', 'gas', 'tenant', 'unmetered'];
const BAR = 6;
const MIN_RIBBON = 1.5;
const GAP = 6;

function sideOf(node: FlowNode): PlacedNode['side'] {
  if (node.kind === 'bus') return 'hub';
  return node.kind === 'tenant' || node.kind === 'unmetered' ? 'right' : 'left';
}

/** Who takes electricity alone stands higher, then losses, then who takes heat or gas, near their sources. */
function rightRank(node: FlowNode, flow: Flow): number {
  if (node.node === 'unmetered') return 1.5;
  const sources = flow.edges.filter((edge) => edge.to === node.node).map((edge) => edge.from);
  return sources.includes('gas') ? 3 : sources.some((source) => source.includes('heat')) ? 2 : 1;
}

function kw(edge: FlowEdge): number {
  return Math.max(0, edge.kw ?? 0);
}

/** Energy in, out and the difference [kW] of each node; hubs must close to rounding. */
export function balances(flow: Flow): Map<string, { inKw: number; outKw: number; gap: number }> {
  const sums = new Map(flow.nodes.map((node) => [node.node, { inKw: 0, outKw: 0, gap: 0 }]));
  for (const edge of flow.edges) {
    const from = sums.get(edge.from);
    const to = sums.get(edge.to);
    if (from) from.outKw += kw(edge);
    if (to) to.inKw += kw(edge);
  }
  for (const sum of sums.values()) sum.gap = sum.inKw - sum.outKw;
  return sums;
}

export type Mix = Map<SourceKind, number>;

/** Shares by source of what leaves each node; a hub passes on the mix of what enters it. */
export function mixes(flow: Flow): Map<string, Mix> {
  const known = new Map<string, Mix>();
  const byName = new Map(flow.nodes.map((node) => [node.node, node]));
  const visit = (name: string, path: ReadonlySet<string>): Mix => {
    const found = known.get(name);
    if (found) return found;
    const node = byName.get(name);
    const mix: Mix = new Map();
    if (!node) return mix;
    if (node.kind !== 'bus') {
      mix.set(node.kind, 1);
    } else {
      let total = 0;
      for (const edge of flow.edges) {
        if (edge.to !== name || path.has(edge.from)) continue;
        for (const [kind, share] of visit(edge.from, new Set([...path, name]))) {
          mix.set(kind, (mix.get(kind) ?? 0) + share * kw(edge));
        }
        total += kw(edge);
      }
      for (const [kind, amount] of mix) mix.set(kind, total > 0 ? amount / total : 0);
    }
    known.set(name, mix);
    return mix;
  };
  for (const node of flow.nodes) visit(node.node, new Set());
  return known;
}

/** The longer face of a hub [kW]: what is exported or charged leaves on the side where it came in. */
function hubFace(hub: FlowNode, flow: Flow): number {
  const sides = new Map(flow.nodes.map((node) => [node.node, sideOf(node)]));
  const face = { left: 0, right: 0 };
  for (const edge of flow.edges) {
    if (edge.from !== hub.node && edge.to !== hub.node) continue;
    const other = sides.get(edge.from === hub.node ? edge.to : edge.from);
    if (other === 'hub') face[edge.from === hub.node ? 'right' : 'left'] += kw(edge);
    else if (other) face[other] += kw(edge);
  }
  return Math.max(face.left, face.right);
}

interface Slot {
  node: FlowNode;
  throughput: number;
  lines: number;
}

/** The largest scale [px per kW] at which every column fits its height. */
function scaleFor(columns: Slot[][], size: FlowSize): number {
  const needs = (slots: Slot[], scale: number): number =>
    slots.reduce((sum, slot) => sum + Math.max(slot.lines * size.line, slot.throughput * scale), 0) +
    Math.max(0, slots.length - 1) * GAP;
  const largest = Math.max(1, ...columns.flat().map((slot) => slot.throughput));
  let low = 0;
  let high = (size.height * 0.62) / largest;
  if (columns.every((slots) => needs(slots, high) <= size.height)) return high;
  for (let round = 0; round < 40; round++) {
    const middle = (low + high) / 2;
    if (columns.every((slots) => needs(slots, middle) <= size.height)) low = middle;
    else high = middle;
  }
  return low;
}

function placeColumn(
  slots: Slot[],
  scale: number,
  size: FlowSize,
): Map<string, { y: number; height: number }> {
  const heights = slots.map((slot) => Math.max(slot.lines * size.line, slot.throughput * scale));
  const used = heights.reduce((sum, height) => sum + height, 0);
  const gap = slots.length > 1 ? Math.min(size.line * 1.6, (size.height - used) / (slots.length - 1)) : 0;
  let y = (size.height - used - gap * (slots.length - 1)) / 2;
  const placed = new Map<string, { y: number; height: number }>();
  slots.forEach((slot, index) => {
    const height = heights[index] ?? 0;
    placed.set(slot.node.node, { y: y + height / 2, height: Math.max(2, slot.throughput * scale) });
    y += height + gap;
  });
  return placed;
}

export function layout(flow: Flow, size: FlowSize): FlowLayout {
  const sums = balances(flow);
  const slotOf = (node: FlowNode): Slot => {
    const sum = sums.get(node.node) ?? { inKw: 0, outKw: 0 };
    const edges = flow.edges.filter((edge) => edge.from === node.node || edge.to === node.node).length;
    const throughput = node.kind === 'bus' ? hubFace(node, flow) : sum.inKw + sum.outKw;
    return { node, throughput, lines: node.kind === 'bus' ? 1 : size.nameLines + Math.max(1, edges) };
  };
  const left = flow.nodes
    .filter((node) => sideOf(node) === 'left')
    .sort((a, b) => LEFT_ORDER.indexOf(a.kind) - LEFT_ORDER.indexOf(b.kind))
    .map(slotOf);
  const right = flow.nodes
    .filter((node) => sideOf(node) === 'right')
    .sort((a, b) => rightRank(a, flow) - rightRank(b, flow))
    .map(slotOf);
  const hubs = flow.nodes.filter((node) => node.kind === 'bus').map(slotOf);
  const scale = scaleFor([left, right], size);
  const places = new Map([...placeColumn(left, scale, size), ...placeColumn(right, scale, size)]);
  for (const [name, place] of placeHubs(hubs, flow, places, scale, size)) places.set(name, place);

  const hubX = size.labelLeft + (size.width - size.labelLeft - size.labelRight) * 0.47;
  const linked = flow.edges.some((edge) =>
    [edge.from, edge.to].every((end) => hubs.some((hub) => hub.node.node === end)),
  );
  const hubStep = linked ? size.width * 0.1 : 0; // hubs that feed each other stand side by side
  const hubWidth = size.line * 1.3; // a line of text runs along the bar
  const nodes = [...left, ...hubs, ...right].map(({ node }): PlacedNode => {
    const order = hubs.findIndex((hub) => hub.node === node);
    const side = sideOf(node);
    const place = places.get(node.node) ?? { y: size.height / 2, height: 2 };
    const sum = sums.get(node.node) ?? { inKw: 0, outKw: 0 };
    const x =
      side === 'left'
        ? size.labelLeft
        : side === 'right'
          ? size.width - size.labelRight - BAR
          : hubX - hubWidth / 2 + order * hubStep;
    const width = side === 'hub' ? hubWidth : BAR;
    return { node, side, x, y: place.y, height: place.height, width, inKw: sum.inKw, outKw: sum.outKw };
  });
  return { nodes, ribbons: ribbons(flow, nodes, scale, size.line), scale };
}

/** Hubs stand at the mean height of their neighbours, in the order given, without overlap. */
function placeHubs(
  hubs: Slot[],
  flow: Flow,
  places: Map<string, { y: number; height: number }>,
  scale: number,
  size: FlowSize,
): Map<string, { y: number; height: number }> {
  const placed = new Map<string, { y: number; height: number }>();
  const heights = hubs.map((hub) => Math.max(size.line * 1.4, hub.throughput * scale));
  const wanted = hubs.map((hub) => {
    let sum = 0;
    let weight = 0;
    for (const edge of flow.edges) {
      const other = edge.from === hub.node.node ? edge.to : edge.to === hub.node.node ? edge.from : null;
      const place = other === null ? undefined : places.get(other);
      if (!place) continue;
      sum += place.y * (kw(edge) + 1);
      weight += kw(edge) + 1;
    }
    return weight > 0 ? sum / weight : size.height / 2;
  });
  const gap = size.line * 2;
  let floor = 0;
  const tops = hubs.map((_, index) => {
    const height = heights[index] ?? 0;
    const top = Math.max(floor, (wanted[index] ?? 0) - height / 2);
    floor = top + height + gap;
    return top;
  });
  let ceiling = size.height;
  for (let index = hubs.length - 1; index >= 0; index--) {
    const height = heights[index] ?? 0;
    const top = Math.max(0, Math.min(tops[index] ?? 0, ceiling - height));
    ceiling = top - gap;
    const hub = hubs[index];
    if (hub) placed.set(hub.node.node, { y: top + height / 2, height });
  }
  return placed;
}

interface End {
  x: number;
  y: number;
}

/** Ribbons leave a bar stacked in the order of the bars they go to, so that they do not cross at the bar. */
function ribbons(flow: Flow, nodes: PlacedNode[], scale: number, line: number): Ribbon[] {
  const byName = new Map(nodes.map((node) => [node.node.node, node]));
  const shares = mixes(flow);
  const ends = new Map<string, End>();
  const key = (edge: FlowEdge, node: PlacedNode) => `${edge.from}>${edge.to}@${node.node.node}`;
  for (const node of nodes) {
    for (const face of ['left', 'right'] as const) {
      const attached = flow.edges
        .map((edge) => ({ edge, other: otherEnd(edge, node, byName) }))
        .filter((item): item is { edge: FlowEdge; other: PlacedNode } => item.other !== null)
        .filter(
          ({ other }) =>
            (other.x > node.x || (other.x === node.x && other.y > node.y)) === (face === 'right'),
        )
        .sort((a, b) => a.other.y - b.other.y);
      const total = attached.reduce((sum, { edge }) => sum + kw(edge) * scale, 0);
      let y = node.y - total / 2;
      for (const { edge } of attached) {
        const thickness = kw(edge) * scale;
        ends.set(key(edge, node), {
          x: face === 'right' ? node.x + node.width : node.x,
          y: y + thickness / 2,
        });
        y += thickness;
      }
    }
  }
  return flow.edges.flatMap((edge) => {
    const from = byName.get(edge.from);
    const to = byName.get(edge.to);
    const start = from && ends.get(key(edge, from));
    const end = to && ends.get(key(edge, to));
    if (!from || !to || !start || !end) return [];
    const middle = from.side === 'hub' && to.side === 'hub';
    const thickness = Math.max(MIN_RIBBON, kw(edge) * scale);
    return [
      ribbon(edge, { start, end }, thickness, shares.get(edge.from) ?? new Map(), { middle, unit: line }),
    ];
  });
}

function otherEnd(edge: FlowEdge, node: PlacedNode, byName: Map<string, PlacedNode>): PlacedNode | null {
  if (edge.from === node.node.node) return byName.get(edge.to) ?? null;
  if (edge.to === node.node.node) return byName.get(edge.from) ?? null;
  return null;
}

const n = (value: number): string => value.toFixed(1);

function ribbon(
  edge: FlowEdge,
  { start, end }: { start: End; end: End },
  thickness: number,
  mix: Mix,
  { middle, unit }: { middle: boolean; unit: number },
): Ribbon {
  const bend = start.x + (end.x - start.x) / 2;
  const shares = BAND_ORDER.map((kind): [SourceKind, number] => [kind, mix.get(kind) ?? 0]).filter(
    ([, share]) => share > 0,
  );
  if (shares.length === 0) shares.push(['unmetered', 1]);
  const bands: Band[] = [];
  let offset = -thickness / 2;
  for (const [kind, share] of shares) {
    const size = thickness * share;
    const [a, b] = [start.y + offset, end.y + offset];
    bands.push({
      kind,
      path:
        `M${n(start.x)} ${n(a)}C${n(bend)} ${n(a)} ${n(bend)} ${n(b)} ${n(end.x)} ${n(b)}` +
        `V${n(b + size)}C${n(bend)} ${n(b + size)} ${n(bend)} ${n(a + size)} ${n(start.x)} ${n(a + size)}Z`,
    });
    offset += size;
  }
  const dominant = shares.reduce((best, item) => (item[1] > best[1] ? item : best))[0];
  const slope = Math.atan2(1.5 * (end.y - start.y), 0.75 * (end.x - start.x));
  return {
    edge,
    bands,
    centre: `M${n(start.x)} ${n(start.y)}C${n(bend)} ${n(start.y)} ${n(bend)} ${n(end.y)} ${n(end.x)} ${n(end.y)}`,
    thickness,
    dominant,
    arrow: {
      x: (start.x + end.x) / 2,
      y: (start.y + end.y) / 2,
      angle: (slope * 180) / Math.PI,
      size: Math.min(unit * 0.47, Math.max(unit * 0.26, thickness * 0.35)),
    },
    middle,
  };
}
