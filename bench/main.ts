import { Command } from 'commander';
import { type CleanUp, createCleanUp, Interruption, untilInterrupted } from './clean-up';
import { hotCart, newCarts, pageLoads, waitedFor, warmCarts } from './loads/commands';
import { cachedCarts, historyCosts, processCosts, storageCosts } from './loads/costs';
import { loneCommands, openLoop } from './loads/latency';
import { sliding } from './loads/pages';
import { reading, reporting } from './loads/reads';
import { rebuilding } from './loads/rebuild';
import { streams } from './loads/streams';
import { timeTravel } from './loads/time-travel';
import { tokens } from './loads/tokens';
import type { Scale } from './measure';
import { isMet, type Line, toTable } from './report';
import { openSetup, type Setup } from './setup';

/** All loads by name, in the order in which they run. */
const loads: Readonly<Record<string, (setup: Setup, scale: Scale) => Promise<Line[]>>> = {
  'waited-for': waitedFor,
  'warm-carts': warmCarts,
  'new-carts': newCarts,
  'hot-cart': hotCart,
  'page-loads': pageLoads,
  lone: loneCommands,
  'open-loop': openLoop,
  reads: reading,
  tokens,
  streams,
  'time-travel': timeTravel,
  'time-machine': sliding,
  reports: reporting,
  rebuild: rebuilding,
  'history-costs': historyCosts,
  'process-costs': processCosts,
  'cached-carts': cachedCarts,
  'storage-costs': storageCosts,
};

const program = new Command('npm run bench --')
  .description('Measures the cart and its alternatives, on the same servers and in turn, and prints ratios.')
  .option('--json', 'print JSON instead of a table')
  .option('--only <loads>', `only these of ${Object.keys(loads).join(', ')}, with commas between them`)
  .option('--rounds <n>', 'how many turns each contestant gets', '3')
  .option(
    '--scale <part>',
    'the part of all commands and carts that is used; less than 1 is faster and less exact',
    '1',
  )
  .option('--in-memory', "keep Temporal's data in memory, so that no disk is measured; the default is a file")
  .parse();

const options = program.opts<{ json?: true; only?: string; rounds: string; scale: string; inMemory?: true }>();

/** Runs the loads, and adds the lines of each as soon as it has run. */
async function measure(cleanUp: CleanUp, lines: Line[]): Promise<void> {
  const names = options.only?.split(',') ?? Object.keys(loads);
  const unknown = names.filter((name) => loads[name] === undefined);
  if (unknown.length > 0) throw new Error(`There is no load ${unknown.join(', ')}: ${Object.keys(loads).join(', ')}.`);
  const part = Number(options.scale);
  const scale: Scale = { rounds: Number(options.rounds), of: (count) => Math.max(1, Math.round(count * part)) };
  const setup = await openSetup(cleanUp, { isDurable: !options.inMemory });
  for (const name of names) {
    console.error(`${new Date().toISOString()} ${name}`);
    lines.push(...(await loads[name]!(setup, scale)));
  }
}

/** Prints the lines as the options say. */
function print(lines: readonly Line[]): Promise<void> {
  const json = lines.map((line) => ({ ...line, met: isMet(line) }));
  const text = options.json ? JSON.stringify(json, undefined, 2) : toTable(lines);
  return new Promise((resolve) => process.stdout.write(`${text}\n`, () => resolve()));
}

async function main(): Promise<void> {
  const cleanUp = createCleanUp();
  const lines: Line[] = [];
  const errors: unknown[] = [];
  await Promise.race([measure(cleanUp, lines), untilInterrupted()]).catch((error) => errors.push(error));
  errors.push(...(await cleanUp.stopAll()));
  for (const error of errors) console.error(error instanceof Interruption ? error.message : error);
  // Also after an error or a signal: the loads before it have taken their time.
  if (lines.length > 0) await print(lines);
  const [first] = errors;
  process.exit(first === undefined ? 0 : first instanceof Interruption ? first.exitCode : 1);
}

void main();
