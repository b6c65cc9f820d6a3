/** The only module that knows ECharts; loaded after the first paint. */

import { LineChart } from 'echarts/charts';
import { GridSimpleComponent } from 'echarts/components';
import { type EChartsType, init, use } from 'echarts/core';
import { CanvasRenderer } from 'echarts/renderers';
import { axisTop, type Curve, type Slot, steps } from '../lib/curve';
import { short } from '../lib/format';
import { colour } from '../lib/prefs';
import { hourTicks } from '../lib/time';

use([LineChart, GridSimpleComponent, CanvasRenderer]);

export interface ChartSettings {
  timezone: string;
  /** Text size [px]. */
  text: number;
  /** One tenant: its load as one area, nothing beneath. */
  single: boolean;
}

/** A diagonal hatch in the surface colour: laid over an area it reads as "not measured". */
function hatch(ink: string, size: number): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  const ratio = 2;
  canvas.width = size * ratio;
  canvas.height = size * ratio;
  const pen = canvas.getContext('2d');
  if (pen) {
    pen.scale(ratio, ratio);
    pen.strokeStyle = ink;
    pen.lineWidth = size / 3.2;
    for (const shift of [-size, 0, size]) {
      pen.beginPath();
      pen.moveTo(shift - 1, size + 1);
      pen.lineTo(shift + size + 1, -1);
      pen.stroke();
    }
  }
  return canvas;
}

type Pick = (slot: Slot) => number | null;

export class Chart {
  private readonly chart: EChartsType;

  constructor(private readonly host: HTMLElement) {
    this.chart = init(host, null, { renderer: 'canvas' });
  }

  resize(): void {
    this.chart.resize();
  }

  dispose(): void {
    this.chart.dispose();
  }

  width(): number {
    return this.chart.getWidth();
  }

  /** Horizontal pixel of an instant, and back. */
  pixel(ms: number): number {
    return this.chart.convertToPixel({ xAxisIndex: 0 }, ms);
  }

  instant(pixel: number): number {
    return this.chart.convertFromPixel({ xAxisIndex: 0 }, pixel);
  }

  draw(curve: Curve, settings: ChartSettings): void {
    const { slots, day } = curve;
    const narrow = this.host.clientWidth < settings.text * 34;
    const ticks = hourTicks(settings.timezone, day, narrow ? 6 : 3);
    const labels = new Map(ticks.map((tick) => [tick.ms, tick.label]));
    const muted = colour('--muted');
    const hair = colour('--hair');
    const area = (name: string, pick: Pick) => ({
      id: name,
      type: 'line' as const,
      stack: 'supply',
      data: steps(slots, pick),
      symbol: 'none',
      silent: true,
      lineStyle: { width: 0 },
      areaStyle: { color: colour(`--area-${name}`), opacity: 1 },
      itemStyle: { color: colour(`--${name}`) },
    });
    const curveLine = (name: string, pick: Pick, style: object) => ({
      id: name,
      type: 'line' as const,
      data: steps(slots, pick),
      symbol: 'none',
      silent: true,
      lineStyle: style,
    });
    const some = (pick: Pick) => slots.some((slot) => (pick(slot) ?? 0) > 0);
    const stacked: ['pv' | 'battery' | 'grid', Pick][] = settings.single
      ? [['grid', (slot) => slot.load]]
      : [
          ['pv', (slot) => slot.pv],
          ['battery', (slot) => slot.discharge],
          ['grid', (slot) => slot.grid],
        ];
    this.chart.setOption(
      {
        animation: false,
        grid: {
          left: settings.text * 3.2,
          right: settings.text * 0.9,
          top: settings.text * 0.8,
          bottom: settings.text * 1.9,
        },
        xAxis: {
          type: 'value',
          min: day.start,
          max: day.end,
          axisLine: { lineStyle: { color: colour('--axis') } },
          axisTick: { customValues: ticks.map((tick) => tick.ms), lineStyle: { color: colour('--axis') } },
          axisLabel: {
            customValues: ticks.map((tick) => tick.ms),
            formatter: (value: number) => labels.get(value) ?? '',
            color: muted,
            fontSize: settings.text,
            fontFamily: FONT,
            hideOverlap: true,
          },
          splitLine: { show: false },
        },
        yAxis: {
          type: 'value',
          min: 0,
          max: axisTop(slots),
          splitNumber: 4,
          axisLabel: {
            color: muted,
            fontSize: settings.text,
            fontFamily: FONT,
            formatter: (value: number) => (value === 0 ? '0' : plain(value)),
          },
          splitLine: { lineStyle: { color: hair } },
        },
        series: [
          ...stacked.filter(([, pick]) => some(pick)).map(([name, pick]) => area(name, pick)),
          {
            ...curveLine('estimated', (slot) => (slot.estimated ? slot.load : null), { width: 0 }),
            areaStyle: {
              color: { image: hatch(colour('--surface'), settings.text * 0.5), repeat: 'repeat' },
              opacity: 0.75,
            },
            z: 3,
          },
          {
            ...curveLine('load', (slot) => slot.load, {
              width: settings.text * 0.14,
              color: colour('--ink'),
            }),
            z: 4,
          },
          {
            ...curveLine('yesterday', (slot) => slot.yesterday, {
              width: settings.text * 0.115,
              type: [settings.text * 0.34, settings.text * 0.26],
              color: colour('--ghost'),
            }),
            z: 5,
          },
        ],
      },
      { replaceMerge: ['series'] },
    );
  }
}

const FONT =
  '-apple-system, "Segoe UI", "Noto Sans", "Noto Sans SC", "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", system-ui, sans-serif';

function plain(value: number): string {
  return Number.isInteger(value) ? value.toLocaleString('en-US') : short(value);
}
