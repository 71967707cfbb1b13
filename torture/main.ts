import { randomInt } from 'node:crypto';
import path from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { buttonNames, faultNames, selectFaults } from './faults/all';
import { explain } from './report/text';
import { runRestarts } from './restarts';
import { runTorture } from './run';
import { runStarts } from './starts';

const number = (text: string): number => {
  const value = Number(text);
  if (!Number.isFinite(value) || value < 0) throw new InvalidArgumentError('It must be a number of at least 0.');
  return value;
};

const list = (text: string): string[] => text.split(',').map((name) => name.trim());

interface Options {
  readonly minutes: number;
  readonly seed: number;
  readonly clients: number;
  readonly carts: number;
  readonly faults: string[];
  readonly only?: string[];
  readonly each: number;
  readonly buttons?: boolean;
  readonly every: number;
  readonly restarts?: number;
  readonly starts?: number;
  readonly out?: string;
}

const program = new Command('torture')
  .description('Runs clients and faults against the whole system, and checks that nothing is lost or doubled.')
  .option('--minutes <n>', 'how long faults are injected', number, 5)
  .option('--seed <n>', 'repeats the choices of a run', number, randomInt(2 ** 31))
  .option('--clients <n>', 'how many clients send operations', number, 8)
  .option('--carts <n>', 'how many carts they use', number, 12)
  .option('--faults <names>', 'a mix: all, names with commas between them, kill-*; list prints the names', list, [
    'all',
  ])
  .option('--only <names>', 'these alone; delete can be named only here', list)
  .option('--each <n>', 'continues after the time is up until every fault was injected this often', number, 0)
  .option('--buttons', 'presses buttons of the Web UI alone, whatever the earlier ones did, and waits for ops verify')
  .option('--every <n>', 'the seconds between two buttons', number, 2)
  .option(
    '--restarts <n>',
    'instead of faults: restarts every role this often under load, one process at a time',
    number,
  )
  .option(
    '--starts <n>',
    'instead of faults: starts everything this often as npm start does, also after kill -9',
    number,
  )
  .option('--out <folder>', 'for the history and the reports; .tmp/torture/<seed> where not given')
  .parse();

const { minutes, seed, clients, carts, faults, only, each, buttons, every, restarts, starts, out } =
  program.opts<Options>();
const root = path.resolve(__dirname, '../../..');

const names = only ?? faults;

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort());

async function main(): Promise<number> {
  if (names.includes('list')) {
    console.log(faultNames().join('\n'));
    return 0;
  }
  const run = {
    seed,
    out: path.resolve(out ?? path.join(root, '.tmp/torture', String(seed))),
    build: path.join(root, 'dist'),
    log: (line: string) => console.error(`${new Date().toISOString().slice(11, 23)} ${line}`),
    stop: stop.signal,
  };
  if (starts !== undefined) return print(await runStarts({ ...run, starts }));
  if (restarts !== undefined) return print(await runRestarts({ ...run, restarts, clients, carts }));
  const selected = selectFaults(
    faultNames().map((name) => ({ name })),
    names,
  ).map(({ name }) => name);
  const chosen = buttons ? selected.filter((name) => buttonNames().includes(name)) : selected;
  const { report, violations } = await runTorture({
    ...{ ...run, minutes, clients, carts, faults: chosen, each },
    everySeconds: buttons ? every : undefined,
  });
  const code = print(report);
  for (const line of explain(report, violations)) console.error(line);
  return code;
}

/** @returns the exit code. */
function print(report: { readonly hasPassed: boolean }): number {
  console.log(JSON.stringify(report, undefined, 2));
  return report.hasPassed ? 0 : 1;
}

void main()
  .catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    return 2;
  })
  .then((status) => process.exit(status));
