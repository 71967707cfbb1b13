import { Command } from 'commander';
import { type Ground, openGround } from './ground';
import { hotCart, newCarts, pageLoads, type Scale, warmCarts } from './loads/commands';
import { historyCosts, processCosts, storageCosts } from './loads/costs';
import { loneCommands, openLoop } from './loads/latency';
import { reading, reporting, timeTravel } from './loads/reads';
import { rebuilding } from './loads/rebuild';
import { isMet, type Line, toTable } from './report';

/** All loads by their names, in the order in which they are run. */
const loads: Readonly<Record<string, (ground: Ground, scale: Scale) => Promise<Line[]>>> = {
  'warm-carts': warmCarts,
  'new-carts': newCarts,
  'hot-cart': hotCart,
  'page-loads': pageLoads,
  'lone-commands': loneCommands,
  'open-loop': openLoop,
  reads: reading,
  'time-travel': timeTravel,
  reports: reporting,
  rebuild: rebuilding,
  'history-costs': historyCosts,
  'process-costs': processCosts,
  'storage-costs': storageCosts,
};

const program = new Command('npm run bench --')
  .description('Measures the cart beside its alternatives, on the same servers and in turn, and prints ratios.')
  .option('--json', 'print JSON instead of a table')
  .option('--only <loads>', `only these of ${Object.keys(loads).join(', ')}, with commas between them`)
  .option('--rounds <n>', 'how often everybody has a turn', '3')
  .option(
    '--scale <part>',
    'the part of all commands and carts that is used; less than 1 is quicker and less exact',
    '1',
  )
  .option('--in-memory', 'keep what Temporal has in memory, so that no disk is measured; by default it is in a file')
  .parse();

const options = program.opts<{ json?: true; only?: string; rounds: string; scale: string; inMemory?: true }>();

async function main(): Promise<void> {
  const names = options.only?.split(',') ?? Object.keys(loads);
  const unknown = names.filter((name) => loads[name] === undefined);
  if (unknown.length > 0) throw new Error(`There is no load ${unknown.join(', ')}: ${Object.keys(loads).join(', ')}.`);
  const part = Number(options.scale);
  const scale: Scale = { rounds: Number(options.rounds), of: (count) => Math.max(1, Math.round(count * part)) };
  const ground = await openGround({ isDurable: !options.inMemory });
  const lines: Line[] = [];
  try {
    for (const name of names) {
      console.error(`${new Date().toISOString()} ${name}`);
      lines.push(...(await loads[name]!(ground, scale)));
    }
  } finally {
    await ground.close();
    // Also after an error: what was measured before it took its time.
    const json = lines.map((line) => ({ ...line, met: isMet(line) }));
    console.log(options.json ? JSON.stringify(json, undefined, 2) : toTable(lines));
  }
}

void main();
