import { useMemo } from 'preact/hooks';
import { axisIn, type Colour, Plot } from '../plot.tsx';

interface LinePlotProps {
  readonly title: string;
  /** Seconds since 1970. */
  readonly x: readonly number[];
  readonly series: readonly { readonly label: string; readonly values: readonly number[] }[];
}

const colours = ['--accent', '--second'] as const;

/** Lines over time. */
export function LinePlot({ title, x, series }: LinePlotProps) {
  const key = JSON.stringify([x, series.map(({ values }) => values)]);
  const data = useMemo(() => {
    const [times, lines] = JSON.parse(key) as [number[], number[][]];
    return [times, ...lines] as [number[], ...number[][]];
  }, [key]);
  const options = (colour: Colour) => ({
    legend: { show: false },
    axes: [axisIn(colour), axisIn(colour, { size: 60 })],
    series: [{}, ...series.map(({ label }, index) => ({ label, width: 2, stroke: colour(colours[index]!) }))],
  });
  const last = series.map(({ label, values }) => `${label} ${values.at(-1) ?? 0}`).join(', ');
  return <Plot title={title} description={`${title}. At the end: ${last}.`} data={data} options={options} />;
}
