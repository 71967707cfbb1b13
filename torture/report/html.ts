import type { Operation, Violation } from '../check/types';
import type { Episode } from '../nemesis';
import { escapeHtml, plotHealTimes, plotLatency, plotThroughput } from './plots';
import type { Report } from './summary';

/** The report as one page that needs nothing else. */
export function toHtml(
  report: Report,
  operations: readonly Operation[],
  episodes: readonly Episode[],
  violations: readonly Violation[],
): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Torture, seed ${report.seed}</title>
<style>
  body { font: 15px/1.5 system-ui, sans-serif; max-width: 1000px; margin: 2rem auto; padding: 0 1rem; color: #222; }
  table { border-collapse: collapse; margin: 1rem 0; }
  td, th { border: 1px solid #ccc; padding: .2rem .6rem; text-align: left; }
  svg { width: 100%; height: auto; background: #fafafa; border: 1px solid #ddd; }
  .good { color: #176d2c; } .bad { color: #a8071a; }
</style>
<h1>Torture, seed ${report.seed}</h1>
<p class="${report.hasPassed ? 'good' : 'bad'}">${headline(report)}</p>
${table(figures(report))}
<h2>Throughput, and when faults were injected</h2>
${plotThroughput(operations, episodes)}
<h2>Latency of commands</h2>
${plotLatency(operations)}
<h2>Time from the end of a fault until commands had outcomes again</h2>
${plotHealTimes(episodes)}
<h2>Faults</h2>
${table([
  ['fault', 'injected', 'could not be injected', 'not recovered in time', 'heal time p50 / p99'],
  ...Object.entries(report.faults).map(([name, { injected, notInjected, notRecovered, healMs }]) => [
    ...[name, injected, notInjected, notRecovered],
    healMs.p50 === null ? '' : `${healMs.p50} / ${healMs.p99} ms`,
  ]),
  ...report.leftOut.map(({ name, why }) => [name, 0, why, '', '']),
])}
<h2>Targets</h2>
${table([
  ['', 'of', 'share', 'at least', 'met'],
  ...report.targets.map(({ name, count, share, atLeast, isMet }) => [
    ...[name, count, share ?? '', atLeast],
    isMet === null ? 'not measured' : isMet ? 'yes' : 'no',
  ]),
])}
<h2>Violations</h2>
${violations.length === 0 ? '<p>None.</p>' : table(violationRows(violations))}
</html>
`;
}

const headline = ({ violationCount, operations, seconds }: Report): string =>
  `${violationCount} violations in ${operations.all} operations of ${seconds} seconds.`;

function figures(report: Report): Row[] {
  const { operations, results, healMs, commandMs, availability } = report;
  return [
    ['commands', operations.commands],
    ['batches', operations.batches],
    ['merges', operations.merges],
    ['reads', operations.reads],
    ['ok / fail / unknown', `${results.ok} / ${results.fail} / ${results.unknown}`],
    ['heal time p50 / p99 / max', `${healMs.p50} / ${healMs.p99} / ${healMs.max} ms`],
    ['202 of a command p50 / p99 / max', `${commandMs.p50} / ${commandMs.p99} / ${commandMs.max} ms`],
    ...Object.entries(availability).map(
      ([when, { commands, reads }]): Row => [`commands / reads taken ${when}`, `${commands ?? '–'} / ${reads ?? '–'}`],
    ),
    ...('verifiedAfterMs' in report ? [['verified after the last press', verifiedAfter(report)]] : []),
    ['quiet in the end', report.isQuiet ? 'yes' : 'no'],
  ];
}

const verifiedAfter = ({ verifiedAfterMs }: Report): string =>
  typeof verifiedAfterMs === 'number' ? `${Math.round(verifiedAfterMs)} ms` : 'not in time';

const shown = 200;

const violationRows = (violations: readonly Violation[]): Row[] => [
  ['kind', 'cart', 'command', 'what'],
  ...violations.slice(0, shown).map(({ kind, cart, commandId, what }) => [kind, cart ?? '', commandId ?? '', what]),
];

type Row = readonly (string | number)[];

const table = (rows: readonly Row[]): string =>
  `<table>${rows.map((row) => `<tr>${row.map((cell) => `<td>${escapeHtml(String(cell))}</td>`).join('')}</tr>`).join('\n')}</table>`;
