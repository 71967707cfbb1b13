import type { Operation } from '../check/types';
import type { Episode } from '../nemesis';
import { healTime } from './heal';
import { quantiles } from './summary';

const width = 1_000;
const height = 260;
const margin = { left: 50, right: 10, top: 10, bottom: 28 };
const colours: Readonly<Record<string, string>> = { ok: '#2f7d4f', fail: '#b8860b', unknown: '#a8071a' };

export const escapeHtml = (text: string): string =>
  text.replace(/[&<>"]/g, (char) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[char]!);

/** Where values are in the plot. */
interface Scale {
  x(value: number): number;
  y(value: number): number;
}

function scaleOf(maxX: number, maxY: number): Scale {
  const [inner, tall] = [width - margin.left - margin.right, height - margin.top - margin.bottom];
  return {
    x: (value) => round(margin.left + (value / Math.max(maxX, 1)) * inner),
    y: (value) => round(margin.top + tall - (value / Math.max(maxY, 1)) * tall),
  };
}

const round = (value: number): number => Math.round(value * 10) / 10;

const svg = (content: readonly string[]): string =>
  `<svg viewBox="0 0 ${width} ${height}" xmlns="http://www.w3.org/2000/svg">${content.join('\n')}</svg>`;

function axes(scale: Scale, seconds: number, maxY: number, unit: string): string[] {
  const text = (x: number, y: number, label: string, anchor: string) =>
    `<text x="${x}" y="${y}" font-size="11" text-anchor="${anchor}" fill="#555">${label}</text>`;
  const times = ticks(seconds).map((tick) => text(scale.x(tick), height - 10, `${tick} s`, 'middle'));
  const values = ticks(maxY).flatMap((tick) => [
    `<line x1="${margin.left}" x2="${width - margin.right}" y1="${scale.y(tick)}" y2="${scale.y(tick)}" stroke="#e5e5e5"/>`,
    text(margin.left - 4, scale.y(tick) + 4, `${tick}`, 'end'),
  ]);
  return [...values, ...times, text(margin.left + 4, margin.top + 10, unit, 'start')];
}

function ticks(max: number): number[] {
  const step = 10 ** Math.floor(Math.log10(Math.max(max, 1)));
  const finer = max / step < 3 ? step / 2 : step;
  return Array.from({ length: Math.floor(max / finer) + 1 }, (_, index) => round(index * finer));
}

const secondsOf = (operations: readonly Operation[]): number =>
  Math.ceil(operations.reduce((last, { end }) => Math.max(last, end), 0) / 1_000);

/** Operations that ended in each second, by their results; faults as bars behind them. */
export function plotThroughput(operations: readonly Operation[], episodes: readonly Episode[]): string {
  const seconds = secondsOf(operations);
  const perSecond = (result: string) => {
    const counts = new Array<number>(seconds + 1).fill(0);
    for (const operation of operations)
      if (operation.result === result) counts[Math.floor(operation.end / 1_000)]! += 1;
    return counts;
  };
  const series = Object.keys(colours).map((result) => ({ result, counts: perSecond(result) }));
  const max = Math.max(1, ...series.flatMap(({ counts }) => counts));
  const scale = scaleOf(seconds, max);
  const lines = series.map(({ result, counts }) => {
    const points = counts.map((count, second) => `${scale.x(second)},${scale.y(count)}`).join(' ');
    return `<polyline points="${points}" fill="none" stroke="${colours[result]}" stroke-width="1.5"><title>${result}</title></polyline>`;
  });
  return svg([...episodes.map((episode) => bar(episode, scale)), ...axes(scale, seconds, max, 'per second'), ...lines]);
}

function bar({ fault, injectedAt, healedAt }: Episode, scale: Scale): string {
  const [from, to] = [scale.x(injectedAt / 1_000), scale.x(healedAt / 1_000)];
  const label = `<text x="${from + 2}" y="${height - margin.bottom - 4}" font-size="9" fill="#777" transform="rotate(-90 ${from + 8} ${height - margin.bottom - 4})">${escapeHtml(fault)}</text>`;
  const wide = Math.max(1.5, to - from);
  const tall = height - margin.top - margin.bottom;
  return `<rect x="${from}" y="${margin.top}" width="${round(wide)}" height="${tall}" fill="#d9480f" opacity="0.15"><title>${escapeHtml(fault)}</title></rect>${label}`;
}

/** The median and the slowest of the commands that began in each second, on a logarithmic scale. */
export function plotLatency(operations: readonly Operation[]): string {
  const seconds = secondsOf(operations);
  const bySecond: number[][] = Array.from({ length: seconds + 1 }, () => []);
  for (const { ask, start, end } of operations) {
    if (ask.kind === 'command') bySecond[Math.floor(start / 1_000)]!.push(end - start);
  }
  const scale = scaleOf(seconds, 4.2);
  const y = (milliseconds: number) => scale.y(Math.log10(Math.max(1, milliseconds)));
  const line = (colour: string, pick: (values: number[]) => number | null, title: string) => {
    const points = bySecond.flatMap((values, second) => {
      const value = pick(values);
      return value === null ? [] : [`${scale.x(second)},${y(value)}`];
    });
    return `<polyline points="${points.join(' ')}" fill="none" stroke="${colour}" stroke-width="1.5"><title>${title}</title></polyline>`;
  };
  const grid = [1, 10, 100, 1_000, 10_000].map(
    (value) =>
      `<line x1="${margin.left}" x2="${width - margin.right}" y1="${y(value)}" y2="${y(value)}" stroke="#e5e5e5"/><text x="${margin.left - 4}" y="${y(value) + 4}" font-size="11" text-anchor="end" fill="#555">${value} ms</text>`,
  );
  return svg([
    ...grid,
    line('#a8071a', (values) => quantiles(values).max, 'slowest'),
    line('#1c4e80', (values) => quantiles(values).p50, 'median'),
  ]);
}

/** A dot for each time that a fault was injected; a cross at the right where nothing worked again in time. */
export function plotHealTimes(episodes: readonly Episode[]): string {
  const names = [...new Set(episodes.map(({ fault }) => fault))].sort();
  const rowHeight = 18;
  const times = new Map(episodes.map((episode) => [episode, healTime(episode, episodes)]));
  const max = Math.max(1_000, ...[...times.values()].map((time) => time ?? 0));
  const left = 210;
  const x = (milliseconds: number) => round(left + (milliseconds / max) * (width - left - 60));
  const rows = names.map((name, row) => {
    const y = 20 + row * rowHeight;
    const dots = episodes.filter(({ fault }) => fault === name).map((episode) => dot(times.get(episode), x, y));
    return `<text x="${left - 8}" y="${y + 4}" font-size="11" text-anchor="end" fill="#555">${escapeHtml(name)}</text>${dots.join('')}`;
  });
  const tall = 30 + names.length * rowHeight;
  const scale = ticks(max).map(
    (tick) =>
      `<line x1="${x(tick)}" x2="${x(tick)}" y1="10" y2="${tall - 16}" stroke="#e5e5e5"/><text x="${x(tick)}" y="${tall - 4}" font-size="11" text-anchor="middle" fill="#555">${tick / 1_000} s</text>`,
  );
  return `<svg viewBox="0 0 ${width} ${tall}" xmlns="http://www.w3.org/2000/svg">${[...scale, ...rows].join('\n')}</svg>`;
}

function dot(healTime: number | undefined, x: (milliseconds: number) => number, y: number): string {
  if (healTime !== undefined) {
    const milliseconds = Math.round(healTime);
    return `<circle cx="${x(milliseconds)}" cy="${y}" r="4" fill="#1c4e80" opacity="0.7"><title>${milliseconds} ms</title></circle>`;
  }
  return `<text x="${width - 20}" y="${y + 5}" font-size="15" fill="#a8071a">✕</text>`;
}
