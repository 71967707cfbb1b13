import { useMemo } from 'preact/hooks';
import type { PointInTime, TimelineEntry } from '../../../client/src/index.ts';
import { inUnits } from '../format.ts';
import { axisIn, type Colour, type Library, Plot } from '../plot.tsx';
import type { Axis } from './time-machine.tsx';

interface ValuePlotProps {
  readonly entries: readonly TimelineEntry[];
  readonly axis: Axis;
  readonly version: number;
  /** The instant of the moment, in milliseconds. */
  readonly at: number | undefined;
  readonly onTravel: (point: PointInTime) => void;
}

/** Value and lines of the cart over its versions, or over time. */
export function ValuePlot({ entries, axis, version, at, onTravel }: ValuePlotProps) {
  const { versions, seconds, values, lines } = useMemo(() => toSeries(entries), [entries]);
  const isByVersion = axis === 'versions';
  const data = useMemo(
    (): [number[], number[], number[]] =>
      isByVersion ? [versions, values, lines] : [seconds, values.slice(1), lines.slice(1)],
    [isByVersion, versions, seconds, values, lines],
  );
  return (
    <Plot
      key={axis}
      title={`Value and lines over ${isByVersion ? 'versions' : 'time'}`}
      description={describe(versions, values, lines, version)}
      data={data}
      options={optionsBy(!isByVersion)}
      mark={isByVersion ? version : (at ?? 0) / 1_000}
      onChoose={(x) => {
        const [from, to] = [data[0].at(0) ?? 0, data[0].at(-1) ?? 0];
        const chosen = Math.max(from, Math.min(to, x));
        onTravel(isByVersion ? Math.round(chosen) : new Date(chosen * 1_000).toISOString());
      }}
    />
  );
}

const wholeSteps = [1, 2, 5]
  .flatMap((step) => [1, 10, 100, 1_000, 10_000].map((power) => step * power))
  .sort((a, b) => a - b);

const optionsBy =
  (time: boolean) =>
  (colour: Colour, { paths: { stepped } }: Library) => {
    const paths = stepped!({ align: 1 });
    return {
      legend: { show: false },
      scales: { x: { time } },
      axes: [
        axisIn(colour, time ? {} : { incrs: wholeSteps }),
        axisIn(colour, { size: 60 }),
        axisIn(colour, { side: 1, scale: 'lines', grid: { show: false }, size: 40, incrs: wholeSteps }),
      ],
      series: [
        {},
        { label: 'value', stroke: colour('--accent'), width: 2, paths },
        { label: 'lines', scale: 'lines', stroke: colour('--second'), width: 1, paths },
      ],
    };
  };

/** At each version: when that was, the value of the cart, and how many lines it had. Version 0 has no instant. */
function toSeries(entries: readonly TimelineEntry[]) {
  const versions = [0];
  const values = [0];
  const lineCounts = [0];
  const seconds: number[] = [];
  let [value, lines] = [0, 0];
  let currency: string | null = null;
  for (const entry of entries) {
    if (entry.type === 'CommandRejected') continue;
    if (typeof entry.data.currency === 'string') currency = entry.data.currency;
    value += worthOf(entry.after) - worthOf(entry.before);
    lines += entry.after.length - entry.before.length;
    versions.push(entry.version);
    seconds.push(Date.parse(entry.occurredAt) / 1_000);
    values.push(inUnits(value, currency));
    lineCounts.push(lines);
  }
  return { versions, seconds, values, lines: lineCounts };
}

const worthOf = (lines: readonly { readonly quantity: number; readonly unitPrice: number }[]): number =>
  lines.reduce((sum, { quantity, unitPrice }) => sum + quantity * unitPrice, 0);

function describe(
  versions: readonly number[],
  values: readonly number[],
  lines: readonly number[],
  version: number,
): string {
  const index = versions.indexOf(version);
  const most = values.reduce((one, other) => Math.max(one, other), 0);
  const now = index === -1 ? '' : ` At version ${version} it is ${values[index]}, with ${lines[index]} lines.`;
  return `The value of the cart is ${most} at most.${now}`;
}
