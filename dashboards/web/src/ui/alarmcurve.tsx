import { useEffect, useRef, useState } from 'preact/hooks';
import { t } from '../i18n';
import { axisOf, nearest, runs, scale, timeTicks } from '../lib/alarmcurve';
import type { Alarm, AlarmCurve } from '../lib/alarms';
import { full, short, unitText } from '../lib/format';
import { timezone } from '../lib/store';
import { localMinute } from '../lib/time';

const HEIGHT = 220;
const LEFT = 52;
const RIGHT = 14;
const TOP = 22;
const BOTTOM = 26;

/** The curve that raised an alarm with its limit, a band for the time that it stood, and the newest value while it does. */
export function AlarmCurveView({ alarm, curve }: { alarm: Alarm; curve: AlarmCurve }) {
  const host = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  const [at, setAt] = useState<number | null>(null);
  useEffect(() => {
    const element = host.current;
    if (!element) return;
    const observer = new ResizeObserver(() => setWidth(element.clientWidth));
    observer.observe(element);
    setWidth(element.clientWidth);
    return () => observer.disconnect();
  }, []);
  const zone = timezone.value;
  const unit = curve.unit === '1' ? '' : unitText(curve.unit);
  const { from, to } = curve;
  const newest = alarm.resolved_at === null ? alarm.value : null;
  const axis = axisOf([...curve.points.map(([, value]) => value), newest], curve.limit);
  const x = scale(from, to, LEFT, width - RIGHT);
  const y = scale(axis.low, axis.high, HEIGHT - BOTTOM, TOP);
  const within = (ms: number) => Math.min(to, Math.max(from, ms));
  const began = x(within(Date.parse(alarm.fired_at)));
  const ended = x(within(alarm.resolved_at === null ? to : Date.parse(alarm.resolved_at)));
  const step = (by: number) => {
    const known = curve.points.flatMap(([, value], index) => (value === null ? [] : [index]));
    const place = at === null ? known.length - 1 : known.indexOf(at);
    setAt(known[Math.min(known.length - 1, Math.max(0, place + by))] ?? null);
  };
  const chosen = at === null ? undefined : curve.points[at];
  const chosenText = chosen ? `${localMinute(zone, chosen[0])} ${full(chosen[1], unit)}` : '';
  const limitText = `${t('alarm.limit')} ${full(curve.limit, unit)}`;
  return (
    <div
      class="alarm-plot"
      ref={host}
      data-testid="alarm-curve"
      data-points={curve.points.length}
      data-limit={curve.limit ?? ''}
      role="slider"
      aria-label={`${t('alarm.curveLabel', {
        from: localMinute(zone, from),
        to: localMinute(zone, to),
        worst: full(alarm.worst, unit),
      })} ${curve.limit === null ? '' : limitText}`}
      aria-valuemin={0}
      aria-valuemax={Math.max(0, curve.points.length - 1)}
      aria-valuenow={at ?? Math.max(0, curve.points.length - 1)}
      aria-valuetext={chosenText || short(alarm.worst)}
      tabIndex={0}
      onPointerMove={(event) => {
        const box = host.current?.getBoundingClientRect();
        if (box)
          setAt(
            nearest(
              curve.points,
              from + ((event.clientX - box.left - LEFT) / (width - LEFT - RIGHT)) * (to - from),
            ),
          );
      }}
      onPointerLeave={() => setAt(null)}
      onBlur={() => setAt(null)}
      onKeyDown={(event) => {
        if (event.key === 'ArrowLeft') step(-1);
        else if (event.key === 'ArrowRight') step(1);
        else if (event.key === 'Escape') setAt(null);
        else return;
        event.preventDefault();
      }}
    >
      {width > 0 && (
        <svg
          width={width}
          height={HEIGHT}
          viewBox={`0 0 ${width} ${HEIGHT}`}
          aria-hidden="true"
          focusable="false"
        >
          <rect
            class="plot-band"
            x={began}
            y={TOP}
            width={Math.max(2, ended - began)}
            height={HEIGHT - TOP - BOTTOM}
          />
          {axis.ticks.map((value) => (
            <g key={value}>
              <line class="plot-grid" x1={LEFT} x2={width - RIGHT} y1={y(value)} y2={y(value)} />
              <text class="plot-label" x={LEFT - 8} y={y(value) + 4} text-anchor="end">
                {full(value)}
              </text>
            </g>
          ))}
          {timeTicks(zone, from, to, Math.max(2, Math.floor(width / 90))).map((tick) => (
            <text key={tick.ms} class="plot-label" x={x(tick.ms)} y={HEIGHT - 8} text-anchor="middle">
              {tick.label}
            </text>
          ))}
          <text class="plot-label" x={LEFT - 8} y={12} text-anchor="end">
            {unit}
          </text>
          <path class="plot-line" d={runs(curve.points, x, y)} />
          {curve.limit !== null && (
            <>
              <line class="plot-limit" x1={LEFT} x2={width - RIGHT} y1={y(curve.limit)} y2={y(curve.limit)} />
              <text class="plot-limit-label" x={LEFT + 6} y={y(curve.limit) - 6}>
                {limitText}
              </text>
            </>
          )}
          {newest !== null && <circle class="plot-dot" cx={x(to)} cy={y(newest)} r="3.5" />}
          <line class="plot-fired" x1={began} x2={began} y1={TOP} y2={HEIGHT - BOTTOM} />
          {chosen && chosen[1] !== null && (
            <>
              <circle class="plot-dot" cx={x(chosen[0])} cy={y(chosen[1])} r="4" />
              <text
                class="plot-reading"
                x={x(chosen[0]) + (x(chosen[0]) > width * 0.6 ? -8 : 8)}
                y={Math.max(TOP + 12, y(chosen[1]) - 10)}
                text-anchor={x(chosen[0]) > width * 0.6 ? 'end' : 'start'}
              >
                {chosenText}
              </text>
            </>
          )}
        </svg>
      )}
    </div>
  );
}
