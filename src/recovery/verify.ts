import canonicalize from 'canonicalize';
import type { Knex } from 'knex';
import type { CartEvent } from '../domain/events';
import type { RecordedDecision } from '../domain/handle';
import { isKeptAs } from '../postgres/fork';
import { genesisHash, hashEvent } from '../postgres/hash-chain';
import type { ReadModel } from '../postgres/read-model';
import { modelOf, readLogs, type StoredLog } from './log';

/** Something that is not as it must be, with the place and what to make of it. */
export interface Finding {
  readonly userId: string;
  readonly where: 'commands' | 'events' | 'hash chain' | 'read model' | 'histories';
  readonly version?: number;
  readonly sequence?: number;
  readonly what: string;
}

/** How a cart stands: what was held against what, and what was found. */
export interface Verification {
  readonly userId: string;
  readonly decisions: number;
  readonly events: number;
  /** How many of the decisions could be held against Temporal's histories; the rest is past retention and not archived. */
  readonly inHistories: number;
  readonly findings: readonly Finding[];
}

/**
 * Holds everything known of a cart against each other: Temporal's histories = copy of the log = hash chain = fold = read model.
 * @param decisions what the histories say the cart decided, in order of sequence.
 */
export async function verifyCart(
  db: Knex,
  userId: string,
  decisions: readonly RecordedDecision[],
): Promise<Verification> {
  const { log, stored } = await db.transaction(
    async (trx) => ({ log: (await readLogs(trx, [userId]))[0]!, stored: await readModelRows(trx, userId) }),
    { isolationLevel: 'repeatable read', readOnly: true },
  );
  const findings = [
    ...checkSequences(log),
    ...checkEvents(log),
    ...checkChain(log),
    ...checkHistories(log, decisions),
    ...(await checkReadModel(db, log, stored)),
  ];
  return {
    userId,
    decisions: log.commands.length,
    events: log.events.length,
    inHistories: decisions.length,
    findings: findings.map((finding) => ({ userId, ...finding })),
  };
}

type Found = Omit<Finding, 'userId'>;

function checkSequences({ commands }: StoredLog): Found[] {
  const wrong = commands.find(({ sequence }, index) => sequence !== index + 1);
  if (wrong === undefined) return [];
  const place = commands.indexOf(wrong) + 1;
  return [
    { where: 'commands', sequence: place, what: `decision ${place} is missing; ${wrong.sequence} is in its place` },
  ];
}

function checkEvents({ commands, events }: StoredLog): Found[] {
  const bySequence = new Map(commands.map((command) => [command.sequence, command]));
  const found: Found[] = [];
  const gap = events.findIndex(({ event }, index) => event.version !== index + 1);
  if (gap !== -1) {
    const what = `the event of version ${gap + 1} is missing; ${events[gap]!.event.version} is in its place`;
    found.push({ where: 'events', version: gap + 1, what });
  }
  events.forEach(({ event, sequence }, index) => {
    const { version } = event;
    const command = bySequence.get(sequence);
    if (command === undefined || !isKeptAs(command.commandId, event.commandId, sequence)) {
      found.push({ where: 'events', version, what: `its command ${event.commandId} is not decision ${sequence}` });
    } else if (command.outcome !== 'applied') {
      found.push({
        where: 'events',
        version,
        what: `its command ${event.commandId} is on record as ${command.outcome}`,
      });
    }
    if (index > 0 && sequence < events[index - 1]!.sequence) {
      found.push({ where: 'events', version, what: `it stands before an event of an earlier decision` });
    }
  });
  return found;
}

function checkChain({ userId, events }: StoredLog): Found[] {
  const found: Found[] = [];
  let expected: Buffer = genesisHash;
  for (const { event, previousHash, hash } of events) {
    const { version } = event;
    if (!previousHash.equals(expected)) {
      found.push({ where: 'hash chain', version, what: 'it does not follow on the event before it' });
    }
    if (!hashEvent(previousHash, userId, event).equals(hash)) {
      found.push({ where: 'hash chain', version, what: 'its content is not what its hash was made of' });
    }
    expected = hash;
  }
  return found;
}

function checkHistories({ commands, events }: StoredLog, decisions: readonly RecordedDecision[]): Found[] {
  const commandAt = new Map(commands.map((command) => [command.sequence, command]));
  const eventAt = new Map(events.map(({ event }) => [event.version, event]));
  const found: Found[] = [];
  for (const decision of decisions) {
    const { sequence, command, outcome } = decision;
    const stored = commandAt.get(sequence);
    if (stored === undefined) {
      found.push({
        where: 'histories',
        sequence,
        what: `Temporal has decision ${sequence}, Postgres does not: run ops heal`,
      });
      continue;
    }
    const isSame = isKeptAs(stored.commandId, command.commandId, sequence) && outcome === stored.outcome;
    if (!isSame) {
      const what = `fork: Temporal has ${command.commandId} (${outcome}), Postgres ${stored.commandId} (${stored.outcome})`;
      found.push({ where: 'histories', sequence, what });
    }
    for (const event of decision.events) {
      if (canonical(event) !== canonical(eventAt.get(event.version))) {
        const what = `fork: Temporal has another event (${event.type}) than Postgres (${eventAt.get(event.version)?.type})`;
        found.push({ where: 'histories', version: event.version, what });
      }
    }
  }
  return found;
}

const canonical = (event: CartEvent | undefined): string | undefined => canonicalize(event);

const readModelSql = `
  select (select jsonb_agg(to_jsonb(c)) from carts c where user_id = :userId) as carts,
         (select jsonb_agg(to_jsonb(i) order by i.added_version, i.product_id) from cart_items i where user_id = :userId)
           as cart_items,
         (select jsonb_agg(to_jsonb(h) order by lower(h.versions), h.added_version, h.product_id) from cart_item_history h
          where user_id = :userId) as cart_item_history`;

type ModelRows = Readonly<Record<'carts' | 'cart_items' | 'cart_item_history', unknown[] | null>>;

/** What the read model holds of a cart: equal as JSON exactly when all of its rows are. */
export async function readModelRows(db: Knex, userId: string): Promise<ModelRows> {
  const { rows } = await db.raw(readModelSql, { userId });
  return rows[0];
}

async function checkReadModel(db: Knex, log: StoredLog, stored: ModelRows): Promise<Found[]> {
  if (log.commands.length === 0 && stored.carts === null) return [];
  let expected: ModelRows;
  try {
    expected = await throughPostgres(db, modelOf(log));
  } catch (error) {
    return [{ where: 'events', what: `they cannot be folded: ${(error as Error).message}` }];
  }
  return (['carts', 'cart_items', 'cart_item_history'] as const)
    .filter((table) => JSON.stringify(expected[table]) !== JSON.stringify(stored[table]))
    .map((table) => ({ where: 'read model', what: `${table} is not what the log folds to: run ops rebuild --user` }));
}

/** The computed rows in the form in which Postgres gives stored ones, so that both can be compared as text. */
async function throughPostgres(db: Knex, model: ReadModel): Promise<ModelRows> {
  const tables = { c: 'carts', i: 'cart_items', h: 'cart_item_history' } as const;
  const from = Object.entries(tables).map(
    ([alias, table]) =>
      `${alias}_rows as (select * from jsonb_populate_recordset(null::${table}, :${alias}_json::jsonb))`,
  );
  const bindings = Object.fromEntries(
    Object.entries(tables).map(([alias, table]) => [`${alias}_json`, JSON.stringify(model[table])]),
  );
  const { rows } = await db.raw(
    `with ${from.join(', ')}
     select (select jsonb_agg(to_jsonb(c)) from c_rows c) as carts,
            (select jsonb_agg(to_jsonb(i) order by i.added_version, i.product_id) from i_rows i) as cart_items,
            (select jsonb_agg(to_jsonb(h) order by lower(h.versions), h.added_version, h.product_id) from h_rows h)
              as cart_item_history`,
    bindings,
  );
  return rows[0];
}
