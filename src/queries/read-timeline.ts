import type { Knex } from 'knex';
import type { TimelineEntry } from '../http/shapes';
import { lineJsonFields, toInstantText } from './read-cart';

/** Selects entries of a cart's timeline. */
export interface TimelineQuery {
  /** The version after which the page begins; with rejected commands, the sequence. */
  readonly after: number;
  readonly limit: number;
  /** Whether the timeline includes rejected commands. */
  readonly withRejected: boolean;
  readonly type?: string | undefined;
  /** Entries at this instant or later. */
  readonly from?: Date | undefined;
  /** Entries before this instant. */
  readonly to?: Date | undefined;
  /** Entries whose data contain this product. */
  readonly productId?: string | undefined;
}

/**
 * Reads a page of a cart's timeline. With rejected commands, all entries of one command are on the same page, so a page
 * can have more entries than the limit.
 * @returns `next`: the value of `after` for the next page, if there is one.
 */
export async function readTimeline(
  db: Knex,
  userId: string,
  query: TimelineQuery,
): Promise<{ entries: TimelineEntry[]; next?: number }> {
  const orderColumn = query.withRejected ? 'sequence' : 'version';
  const { conditions, bindings } = conditionsOf(userId, query, orderColumn);
  const { rows } = await db.raw(
    `with entry as not materialized (
       select * from (${query.withRejected ? eventsAndRejections : eventsOnly}) as every where ${conditions}
     ), page as materialized (
       select * from entry order by ${orderColumn} fetch first ${query.limit} rows with ties
     )
     select page.*, exists (select from entry where ${orderColumn} > (select max(${orderColumn}) from page)) as more
     from (${selectEntries}) as page order by sequence, version`,
    bindings,
  );
  const entries = rows.map(toEntry);
  const last = rows.at(-1);
  return last?.more ? { entries, next: last[orderColumn] } : { entries };
}

/** Has the fields of both kinds of entries; those of the other kind are null. */
type TimelineRow = Readonly<Record<string, unknown>> & { readonly more: boolean };

const toEntry = ({ more: _more, ...row }: TimelineRow): TimelineEntry =>
  Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null)) as unknown as TimelineEntry;

const eventsOnly = `
  select user_id, sequence, version, type, data, occurred_at from cart_events`;
const eventsAndRejections = `${eventsOnly}
  union all
  select user_id, sequence, null, 'CommandRejected'::text, data, decided_at
  from cart_commands where outcome = 'rejected'`;

function conditionsOf(
  userId: string,
  { after, type, from, to, productId }: TimelineQuery,
  orderColumn: string,
): { conditions: string; bindings: Knex.Value[] } {
  const conditions: [string, ...Knex.Value[]][] = [
    ['user_id = ?', userId],
    [`${orderColumn} > ?`, after],
  ];
  if (type !== undefined) conditions.push(['type = ?', type]);
  if (from !== undefined) conditions.push(['occurred_at >= ?', from]);
  if (to !== undefined) conditions.push(['occurred_at < ?', to]);
  if (productId !== undefined) conditions.push([productCondition, ...productPatterns(productId)]);
  return {
    conditions: conditions.map(([condition]) => condition).join(' and '),
    bindings: conditions.flatMap(([, ...values]) => values),
  };
}

const productCondition = '(data @> ? or data @> ? or data @> ? or data @> ?)';
const productPatterns = (productId: string): string[] =>
  [{ productId }, { items: [{ productId }] }, { previousItems: [{ productId }] }, { leftOut: [{ productId }] }].map(
    (pattern) => JSON.stringify(pattern),
  );

const linesWhere = (condition: string) => `
  (select coalesce(json_agg(json_strip_nulls(json_build_object(${lineJsonFields})) order by added_version), '[]')
   from cart_item_history h where h.user_id = page.user_id and ${condition})`;

// A period that ends at version n is adjacent to [n, n], a period that begins at n is adjacent to [n - 1, n - 1]. The
// index supports adjacency (-|-), but not upper() and lower().
const periodEndsAtVersion = "h.versions -|- int4range(version, version, '[]') and upper(h.versions) = version";
const periodBeginsAtVersion =
  "h.versions -|- int4range(version - 1, version - 1, '[]') and lower(h.versions) = version";

const selectEntries = `
  select page.version, page.sequence, page.type, ${toInstantText('page.occurred_at')} as "occurredAt",
         command.type as command, command.command_id as "commandId", command.actor,
         ${toInstantText('command.issued_at')} as "issuedAt", page.data,
         case when version is not null then ${linesWhere(periodEndsAtVersion)} end as before,
         case when version is not null then ${linesWhere(periodBeginsAtVersion)} end as after,
         command.code, command.reason, command.run_id as "runId"
  from page join cart_commands command on command.user_id = page.user_id and command.sequence = page.sequence`;
