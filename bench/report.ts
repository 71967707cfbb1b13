import Table from 'cli-table3';
import type { Spread } from './measure';

/** One line of the report: a figure, mostly a ratio, with its lowest and highest value. */
export interface Line {
  readonly load: string;
  readonly what: string;
  readonly figure: Spread;
  /** What the median should be. */
  readonly goal?: { readonly atLeast: number } | { readonly atMost: number };
  /** The values that the figure was computed from, as this machine measured them. */
  readonly from?: Readonly<Record<string, number>>;
}

/** Whether a line meets its goal; undefined where it has none. */
export function isMet({ figure, goal }: Line): boolean | undefined {
  if (goal === undefined) return undefined;
  return 'atLeast' in goal ? figure.median >= goal.atLeast : figure.median <= goal.atMost;
}

/** The lines as a table. */
export function toTable(lines: readonly Line[]): string {
  const table = new Table({
    head: ['load', 'what', 'median', 'lowest – highest', 'goal', 'met', 'from'],
    style: { head: [], border: [], compact: true },
  });
  for (const line of lines) {
    const { load, what, figure, goal, from = {} } = line;
    const met = isMet(line);
    table.push([
      load,
      what,
      short(figure.median),
      figure.low === figure.high ? '' : `${short(figure.low)} – ${short(figure.high)}`,
      goal === undefined ? '' : 'atLeast' in goal ? `≥ ${goal.atLeast}` : `≤ ${goal.atMost}`,
      met === undefined ? '' : met ? 'yes' : 'no',
      Object.entries(from)
        .map(([name, value]) => `${name} ${short(value)}`)
        .join(', '),
    ]);
  }
  return table.toString();
}

const short = (value: number): string =>
  Number.isInteger(value) ? String(value) : value >= 100 ? value.toFixed(0) : value.toPrecision(3);
