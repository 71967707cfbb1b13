/**
 * Computes what millions of carts need from what one command costs. `npm run bench` measured the `costs`; `habits` are
 * assumptions about shoppers. Replace both by your own figures and run `npm run bench:scaling`.
 */
const costs = {
  /** Events, bytes and actions in Temporal, from the load `history-costs`. */
  loneCommand: { events: 10, bytes: 2_180, actions: 2 },
  pageLoad: { events: 10.4, bytes: 5_460, actions: 2.1 },
  newRun: { events: 12, actions: 4 },
  /** Processor seconds of a lone command, from the load `process-costs`. All commands of a page cost as much as one. */
  cpu: { worker: 0.009, commandApi: 0.0024, postgres: 0.0018, temporal: 0.013 },
  /** Processor seconds of a read, from the load `reads`: 5,500 per second on two cores, with client and Postgres. */
  read: 0.000_36,
  /** Bytes in Postgres: of the log and of the line history per event, of the current content per cart. */
  postgres: { log: 1_080, history: 330, now: 640 },
  /** Bytes of a cart in a worker's cache. */
  cachedCart: 246_000,
};

const habits = {
  /** The part of all carts that is used in a month, and the sessions of each of them. */
  activePerMonth: 0.3,
  sessionsPerMonth: 3,
  /** What a session has: lone commands, pages that send five commands at the same moment, reads. */
  loneCommands: 5,
  pageLoads: 1,
  reads: 40,
  minutes: 15,
  /** The load of the busiest hour, as a multiple of an average hour. */
  peak: 5,
};

/** List prices in dollars; large customers pay less. `activeGbHour` is for a GB of open histories. */
const prices = { millionActions: 50, activeGbHour: 0.042, postgresGbMonth: 0.115 };

const month = 30 * 86_400;
const retentionDays = 30;

function needs(carts: number) {
  const sessions = carts * habits.activePerMonth * habits.sessionsPerMonth;
  const commands = habits.loneCommands + 5 * habits.pageLoads;
  const perSession = (key: 'events' | 'bytes' | 'actions') =>
    habits.loneCommands * costs.loneCommand[key] + habits.pageLoads * costs.pageLoad[key];
  const runs = carts * habits.activePerMonth;
  const actions = sessions * perSession('actions') + runs * costs.newRun.actions;
  const peakCommands = (habits.peak * sessions * commands) / month;
  const peakSignals = (habits.peak * sessions * (habits.loneCommands + habits.pageLoads)) / month;
  const peakReads = (habits.peak * sessions * habits.reads) / month;
  const eventsPerYear = 12 * sessions * commands;
  const openBytes = sessions * perSession('bytes');
  const { cpu } = costs;
  return {
    'commands a second, average / peak': `${count(peakCommands / habits.peak)} / ${count(peakCommands)}`,
    'reads a second, peak': count(peakReads),
    'open workflows': count(carts * habits.activePerMonth * (retentionDays / 30)),
    'Temporal state transitions a second, peak': count((peakCommands / commands) * (perSession('events') / 2.5)),
    'actions a month, millions': count(actions / 1e6),
    'actions a month, $ list': count((actions / 1e6) * prices.millionActions),
    'open histories, GB': count(openBytes / 1e9),
    'open histories a month, $ list': count((openBytes / 1e9) * prices.activeGbHour * 24 * 30),
    'worker cores, peak': cores(peakSignals * cpu.worker),
    'carts in workers’ caches, peak, GB': count(
      (habits.peak * sessions * habits.minutes * 60 * costs.cachedCart) / month / 1e9,
    ),
    'command API cores, peak': cores(peakSignals * cpu.commandApi),
    'query API cores, peak': cores(peakReads * costs.read),
    'Postgres cores for projections, peak': cores(peakSignals * cpu.postgres),
    'cores of a self-run Temporal, peak': cores(peakSignals * cpu.temporal),
    'events a year, millions': count(eventsPerYear / 1e6),
    'Postgres a year, TB': ((eventsPerYear * (costs.postgres.log + costs.postgres.history)) / 1e12).toFixed(2),
    'Postgres read model, GB': count((carts * costs.postgres.now) / 1e9),
    'Postgres after a year, $ a month': count(
      ((eventsPerYear * (costs.postgres.log + costs.postgres.history) + carts * costs.postgres.now) / 1e9) *
        prices.postgresGbMonth,
    ),
  };
}

const count = (value: number): string => (value < 10 ? value.toFixed(1) : Math.round(value).toLocaleString('en'));
/** Twice the used cores, so that half of them are free in the busiest hour. */
const cores = (used: number): string => count(Math.max(1, 2 * used));

const sizes = [1_000_000, 10_000_000, 100_000_000];
const columns = sizes.map(needs);
console.log(`| | ${sizes.map((size) => `${size / 1e6} million carts`).join(' | ')} |`);
console.log('|---|--:|--:|--:|');
for (const what of Object.keys(columns[0]!) as (keyof ReturnType<typeof needs>)[]) {
  console.log(`| ${what} | ${columns.map((column) => column[what]).join(' | ')} |`);
}
