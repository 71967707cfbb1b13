import Table from 'cli-table3';
import type { Spread } from './measure';

/** One line of the report: a figure, mostly a ratio, with the lowest and highest of its rounds. */
export interface Line {
  readonly load: string;
  readonly what: string;
  readonly figure: Spread;
  /** What the figure should be. */
  readonly goal?: { readonly atLeast: number } | { readonly atMost: number };
  /** What the figure was made of, for whoever wants to know how large that was on this machine. */
  readonly from?: Readonly<Record<string, number>>;
}

/** Whether a line's median is what it should be; undefined where nothing is asked of it. */
export function isMet({ figure, goal }: Line): boolean | undefined {
  if (goal === undefined) return undefined;
  return 'atLeast' in goal ? figure.median >= goal.atLeast : figure.median <= goal.atMost;
}

/** The lines as a table for people. */
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
