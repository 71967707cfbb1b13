import type { Knex } from 'knex';
import type { OperationsView } from '../http/shapes';
import { currentForks } from '../postgres/log/forks';
import { toInstantText } from './read-cart';

/** Reads what is going on now: of the last hour by minutes, and of the workers and commands of the last day. */
export async function readOperations(db: Knex): Promise<OperationsView> {
  const [{ rows: carts }, { rows: minutes }, { rows: rejected }, { rows: processes }, parked] = await Promise.all([
    db.raw(openCarts).options({ name: 'operations-carts' }),
    db.raw(commandsByMinute).options({ name: 'operations-minutes' }),
    db.raw(rejectedByCode).options({ name: 'operations-rejected' }),
    db.raw(latestProcesses).options({ name: 'operations-processes' }),
    currentForks(db),
  ]);
  const isWorker = ({ kind }: { kind: string }) => kind === 'worker';
  return {
    at: new Date().toISOString(),
    ...carts[0],
    minutes,
    rejected,
    workers: processes.filter(isWorker).map(({ kind: _kind, endedAt: _endedAt, state, ...worker }: ProcessRow) => ({
      ...worker,
      ...state,
    })),
    tasks: processes
      .filter((row: ProcessRow) => !isWorker(row))
      .map(({ state, endedAt, ...task }: ProcessRow) => ({
        ...task,
        ...(endedAt === null ? {} : { endedAt }),
        ...state,
      })),
    parked: [...parked],
  };
}

interface ProcessRow {
  readonly kind: string;
  readonly endedAt: string | null;
  readonly state: object;
}

const openCarts = `
  select count(*) filter (where status = 'open') as "openCarts", count(*) as carts,
         coalesce(sum(item_count), 0)::bigint as units
  from carts`;

// Events tell when commands took effect, and have an index by time. Rejected commands have one of their own.
const commandsByMinute = `
  with applied as (
    select date_trunc('minute', occurred_at) as minute, count(distinct (user_id, sequence)) as commands
    from cart_events where occurred_at > now() - interval '1 hour' group by 1
  ), rejected as (
    select date_trunc('minute', decided_at) as minute, count(*) as commands
    from cart_commands where outcome = 'rejected' and decided_at > now() - interval '1 hour' group by 1
  )
  select ${toInstantText('minute')} as minute, coalesce(applied.commands, 0) as applied,
         coalesce(rejected.commands, 0) as rejected
  from generate_series(date_trunc('minute', now() - interval '59 minutes'), now(), interval '1 minute') as minute
  left join applied using (minute) left join rejected using (minute)
  order by minute`;

const rejectedByCode = `
  select code, count(*) as commands from cart_commands
  where outcome = 'rejected' and decided_at > now() - interval '1 hour'
  group by code order by commands desc, code`;

const latestProcesses = `
  select name, kind, ${toInstantText('started_at')} as "startedAt", ${toInstantText('seen_at')} as "seenAt",
         ${toInstantText('ended_at')} as "endedAt", state
  from processes where seen_at > now() - interval '1 day' order by started_at desc limit 200`;

/** Which carts are looked for. */
export interface CartSearch {
  /** The first characters of the user's id. */
  readonly user?: string | undefined;
  readonly productId?: string | undefined;
  readonly currency?: string | undefined;
  /** In minor units. */
  readonly minValue?: number | undefined;
  readonly maxValue?: number | undefined;
  /** The cart has not changed since then. */
  readonly unchangedSince?: Date | undefined;
  readonly status?: string | undefined;
  readonly after: string;
  readonly limit: number;
}

/** Finds a page of carts, by the ids of their users. */
export async function findCarts(db: Knex, { after, limit, ...search }: CartSearch): Promise<readonly FoundCart[]> {
  const { user, productId, currency, minValue, maxValue, unchangedSince, status } = search;
  const query = db('carts')
    .select('user_id as userId', 'version', 'status', 'currency', 'item_count as itemCount', 'subtotal')
    .select(db.raw(`${toInstantText('updated_at')} as "updatedAt"`))
    .where('user_id', '>', after)
    .where('version', '>', 0)
    .orderBy('user_id')
    .limit(limit);
  if (user !== undefined) query.whereRaw('starts_with(user_id, ?)', [user]);
  if (currency !== undefined) query.where({ currency });
  if (status !== undefined) query.where({ status });
  if (minValue !== undefined) query.where('subtotal', '>=', minValue);
  if (maxValue !== undefined) query.where('subtotal', '<=', maxValue);
  if (unchangedSince !== undefined) query.where('updated_at', '<', unchangedSince);
  if (productId !== undefined) {
    query.whereExists(
      db('cart_items')
        .select(db.raw('1'))
        .whereRaw(`cart_items.user_id = carts.user_id and split_part(cart_items.product_id, '!', 1) = ?`, [productId]),
    );
  }
  return query;
}

export interface FoundCart {
  readonly userId: string;
  readonly version: number;
  readonly status: 'empty' | 'open' | 'merged';
  readonly currency: string | null;
  readonly itemCount: number;
  readonly subtotal: number;
  readonly updatedAt: string;
}
