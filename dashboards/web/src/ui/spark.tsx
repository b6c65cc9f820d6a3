import { t } from '../i18n';

const WIDTH = 96;
const HEIGHT = 28;

/** Path pieces of the runs between gaps, in a 96 × 28 box; zero is the floor. */
export function sparkRuns(values: readonly (number | null)[], top: number): { x: number; y: number }[][] {
  const runs: { x: number; y: number }[][] = [];
  let run: { x: number; y: number }[] = [];
  values.forEach((value, index) => {
    if (value === null) {
      if (run.length > 0) runs.push(run);
      run = [];
      return;
    }
    const share = top > 0 ? Math.min(1, Math.max(0, value / top)) : 0;
    run.push({ x: index, y: HEIGHT - 2 - share * (HEIGHT - 4) });
  });
  if (run.length > 0) runs.push(run);
  return runs;
}

const at = (value: number) => value.toFixed(1);

/** The last 24 h in 96 steps: a stepped area over zero, gaps left open. */
export function Spark({ values, unit }: { values: readonly (number | null)[]; unit: string }) {
  const known = values.filter((value): value is number => value !== null);
  const top = unit === '%' ? 100 : Math.max(0, ...known);
  const runs = sparkRuns(values, top);
  const line = runs.map((run) =>
    run
      .map((point, index) => `${index ? 'V' : `M${at(point.x)} `}${at(point.y)}H${at(point.x + 1)}`)
      .join(''),
  );
  const area = runs.map((run, index) => `${line[index]}V${HEIGHT}H${at(run[0]?.x ?? 0)}Z`);
  return (
    <svg
      class="spark"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={t('tile.spark')}
      data-gaps={values.length - known.length}
    >
      <path class="spark-area" d={area.join('')} />
      <path class="spark-line" d={line.join('')} />
    </svg>
  );
}
