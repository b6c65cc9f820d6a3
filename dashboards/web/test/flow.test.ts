import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { balances, type FlowSize, layout, mixes } from '../src/lib/flow';
import type { Flow, FlowNode, NodeKind, Now } from '../src/lib/types';

const example = JSON.parse(
  readFileSync(new URL('../../../tests/contract/api_examples/now.json', import.meta.url), 'utf8'),
) as Now;
const size: FlowSize = { width: 780, height: 480, labelLeft: 160, labelRight: 200, line: 17, nameLines: 1.1 };

function node(name: string, kind: NodeKind): FlowNode {
  return { node: name, kind, name: { zh: name, en: name }, kw: null };
}

const exporting: Flow = {
  at: '2026-11-21T04:00:00Z',
  nodes: [
    node('pv', 'pv'),
    node('grid', 'grid'),
    node('battery', 'battery'),
    node('bus-electricity', 'bus'),
    node('tenant-a', 'tenant'),
    node('unmetered', 'unmetered'),
  ],
  edges: [
    { from: 'pv', to: 'bus-electricity', kw: 900 },
    { from: 'bus-electricity', to: 'grid', kw: 500 },
    { from: 'bus-electricity', to: 'battery', kw: 100 },
    { from: 'bus-electricity', to: 'tenant-a', kw: 292.5 },
    { from: 'bus-electricity', to: 'unmetered', kw: 7.5 },
  ],
  imbalance_kw: 0,
};

describe('node sums', () => {
  it('close at every hub of the contract’s example', () => {
    const sums = balances(example.flow);
    for (const item of example.flow.nodes.filter((hub) => hub.kind === 'bus'))
      expect(sums.get(item.node)?.gap).toBeCloseTo(0, 6);
  });
  it('close while exporting and charging', () => {
    expect(balances(exporting).get('bus-electricity')).toEqual({ inKw: 900, outKw: 900, gap: 0 });
  });
  it('show what does not close', () => {
    const open = { ...exporting, edges: exporting.edges.slice(0, 2) };
    expect(balances(open).get('bus-electricity')?.gap).toBe(400);
  });
});

describe('colours', () => {
  it('run through a hub in the shares of its sources', () => {
    const flow: Flow = {
      ...exporting,
      edges: [
        { from: 'pv', to: 'bus-electricity', kw: 30 },
        { from: 'grid', to: 'bus-electricity', kw: 60 },
        { from: 'battery', to: 'bus-electricity', kw: 10 },
        { from: 'bus-electricity', to: 'tenant-a', kw: 100 },
      ],
    };
    const mix = mixes(flow).get('bus-electricity');
    expect(mix?.get('pv')).toBeCloseTo(0.3);
    expect(mix?.get('grid')).toBeCloseTo(0.6);
    expect(mix?.get('battery')).toBeCloseTo(0.1);
  });
  it('survive hubs that feed each other and hubs without any power', () => {
    const loop: Flow = {
      ...exporting,
      nodes: [...exporting.nodes, node('bus-heat', 'bus')],
      edges: [
        { from: 'bus-electricity', to: 'bus-heat', kw: 5 },
        { from: 'bus-heat', to: 'bus-electricity', kw: 5 },
      ],
    };
    expect(() => layout(loop, size)).not.toThrow();
    expect(
      layout({ ...exporting, edges: exporting.edges.map((edge) => ({ ...edge, kw: 0 })) }, size).ribbons,
    ).toHaveLength(5);
  });
});

describe('the picture', () => {
  it.each([
    ['example', example.flow],
    ['exporting', exporting],
  ])('has one ribbon per edge, as thick as its power: %s', (_, flow) => {
    const { ribbons, scale } = layout(flow, size);
    expect(ribbons.map((ribbon) => ribbon.edge)).toEqual(flow.edges);
    for (const ribbon of ribbons)
      expect(ribbon.thickness).toBeCloseTo(Math.max(1.5, ribbon.edge.kw * scale), 6);
  });

  it.each([
    ['desk', size],
    ['phone', { width: 340, height: 496, labelLeft: 83, labelRight: 109, line: 16, nameLines: 2 }],
    ['wall', { width: 1100, height: 640, labelLeft: 330, labelRight: 400, line: 34, nameLines: 1.1 }],
  ])('keeps every name clear of the next: %s', (_, box) => {
    const { nodes } = layout(example.flow, box);
    for (const side of ['left', 'right'] as const) {
      const column = nodes.filter((placed) => placed.side === side).sort((a, b) => a.y - b.y);
      column.slice(1).forEach((placed, index) => {
        const above = column[index];
        expect(placed.y - (above?.y ?? 0)).toBeGreaterThanOrEqual(box.line * (1 + box.nameLines) - 0.01);
      });
      for (const placed of column) {
        expect(placed.y - placed.height / 2).toBeGreaterThanOrEqual(-0.01);
        expect(placed.y + placed.height / 2).toBeLessThanOrEqual(box.height + 0.01);
      }
    }
  });

  it('turns grid and battery arrows with their sign', () => {
    const back = layout(exporting, size).ribbons.find((ribbon) => ribbon.edge.to === 'grid');
    expect(Math.abs(back?.arrow.angle ?? 0)).toBeGreaterThan(90);
    const forth = layout(exporting, size).ribbons.find((ribbon) => ribbon.edge.from === 'pv');
    expect(Math.abs(forth?.arrow.angle ?? 180)).toBeLessThan(90);
  });

  it('makes the hub as long as its longer face', () => {
    const { nodes, scale } = layout(exporting, size);
    const hub = nodes.find((placed) => placed.side === 'hub');
    expect(hub?.height).toBeCloseTo((900 + 500 + 100) * scale, 6);
  });

  it('lists losses after who takes electricity alone and before who takes heat or gas', () => {
    const right = layout(example.flow, size)
      .nodes.filter((placed) => placed.side === 'right')
      .map((placed) => placed.node.node);
    const heated = example.flow.edges
      .filter((edge) => edge.from === 'heat' || edge.from === 'gas')
      .map((edge) => edge.to);
    for (const name of heated) expect(right.indexOf(name)).toBeGreaterThan(right.indexOf('unmetered'));
  });
});
