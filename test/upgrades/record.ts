import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Knex } from 'knex';
import { parseCommand } from '../../src/contract/parse-command';
import { type Checkpoint, emptyCheckpoint, handle, type RecordedDecision } from '../../src/domain/handle';
import { type Cart, emptyCart } from '../../src/domain/state';
import { freePort } from '../../src/embedded/ports';
import { startPostgres } from '../../src/embedded/postgres/server';
import { connectDatabase } from '../../src/postgres/database';
import { migrate } from '../../src/postgres/migrations/migrate';
import { project } from '../../src/postgres/projection/project';
import { catalogue, type Step, story } from './story';

/** Writes the rows that today's code makes of the story into a file of the folder that the command line names. */
async function main(folder: string): Promise<void> {
  const serverFolder = await realpath(await mkdtemp(path.join(tmpdir(), 'cart-upgrades-')));
  const dataDir = path.join(serverFolder, 'postgres');
  const postgres = await startPostgres({ dataDir, port: await freePort(), log: console.error });
  const db = connectDatabase(postgres.url, { poolSize: 2, name: 'record-upgrade' });
  try {
    await migrate(db);
    await db('products').insert(catalogue);
    for (const user of new Set(story.map((step) => step.user))) await projectInBatches(db, user, decideAll(user));
    const [migration] = await db('migrations').orderBy('name', 'desc').limit(1).pluck('name');
    const file = path.join(folder, `${migration.slice(0, 4)}.sql`);
    await writeFile(file, await dump(db));
    console.log(file);
  } finally {
    await db.destroy();
    await postgres.stop();
    await rm(serverFolder, { recursive: true, force: true });
  }
}

/** The decisions of one user's steps. */
function decideAll(user: string): RecordedDecision[] {
  let checkpoint: Checkpoint = emptyCheckpoint;
  let now = '';
  const carts = new Map<number, Cart>([[0, emptyCart]]);
  const decisions: RecordedDecision[] = [];
  for (const [n, step] of story.entries()) {
    if (!step.isSameInstant) now = new Date(Date.UTC(2025, 0, 1, 0, n)).toISOString();
    if (step.user !== user) continue;
    if (step.isForgotten) checkpoint = { ...checkpoint, recentCommandIds: [] };
    const command = parseCommand(step.type, toPayload(step, n, now, carts));
    const context = { now, runId: `run-of-${user}`, freshId: () => `fresh-${n}`, unprojectedCount: 0 };
    const result = handle(checkpoint, command, context);
    checkpoint = result.checkpoint;
    carts.set(checkpoint.cart.version, checkpoint.cart);
    if (result.decision !== undefined) decisions.push(result.decision);
  }
  return decisions;
}

function toPayload(step: Step, n: number, now: string, carts: ReadonlyMap<number, Cart>): Record<string, unknown> {
  const { user, fields, commandId = `command-${n}`, restores } = step;
  const envelope = { commandId, issuedAt: now, actor: `user:${user}` };
  if (restores === undefined) return { ...envelope, ...fields };
  const { items, currency } = carts.get(restores) ?? emptyCart;
  return { ...envelope, version: restores, items, currency };
}

const batchSize = 3;

async function projectInBatches(db: Knex, user: string, decisions: readonly RecordedDecision[]): Promise<void> {
  for (let first = 0; first < decisions.length; first += batchSize) {
    await db.transaction((trx) => project(trx, user, decisions.slice(first, first + batchSize)));
  }
}

/** All rows as INSERT statements, in an order that foreign keys allow. */
async function dump(db: Knex): Promise<string> {
  const { rows } = await db.raw(`
    select c.table_name as table, string_agg(format('%I', c.column_name), ', ' order by c.ordinal_position) as columns,
           string_agg(format('quote_nullable(%I::text)', c.column_name), ', ' order by c.ordinal_position) as literals
    from information_schema.columns c join information_schema.tables t using (table_schema, table_name)
    where table_schema = 'public' and table_type = 'BASE TABLE' and table_name !~ '^migrations'
    group by c.table_name
    order by array_position(array['cart_commands', 'cart_events', 'carts'], c.table_name::text), c.table_name`);
  const statements: string[] = [];
  for (const { table, columns, literals } of rows) {
    const values = await db.transaction(async (trx) => {
      await trx.raw("set local timezone = 'UTC'");
      const { rows: lines } = await trx.raw(
        `select format('(%s)', concat_ws(', ', ${literals})) as line from ${table} t order by t`,
      );
      return lines.map(({ line }: { line: string }) => line);
    });
    if (values.length > 0) statements.push(`insert into ${table} (${columns}) values\n${values.join(',\n')};\n`);
  }
  return statements.join('\n');
}

void main(process.argv[2]!);
