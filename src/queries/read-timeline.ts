import type { Knex } from 'knex';
import { toInstantText } from './read-cart';

/** Which entries of a cart's story to tell, and from where on. */
export interface TimelineQuery {
  /** The version after which to begin; with refused commands the sequence. */
  readonly after: number;
  readonly limit: number;
  /** Whether refused commands are told too. */
  readonly withRejected: boolean;
  readonly type?: string | undefined;
  /** From this instant on. */
  readonly from?: Date | undefined;
  /** Before this instant. */
  readonly to?: Date | undefined;
  /** Only what names this product. */
  readonly productId?: string | undefined;
}

/** What a line held; `before` and `after` of an entry have those lines which its event changed. */
export interface TimelineLine {
  readonly productId: string;
  readonly name: string;
  readonly quantity: number;
  readonly unitPrice: number;
}

/** An event, or with type `CommandRejected` a command that was refused. */
export interface TimelineEntry {
  readonly sequence: number;
  readonly type: string;
  readonly command: string;
  readonly commandId: string;
  readonly actor: string;
  readonly issuedAt: string;
  readonly occurredAt: string;
  readonly runId: string;
  readonly data: Readonly<Record<string, unknown>>;
  /** Events only. */
  readonly version?: number;
  readonly before?: readonly TimelineLine[];
  readonly after?: readonly TimelineLine[];
  /** Refused commands only. */
  readonly code?: string;
  readonly reason?: string;
}

/**
 * A page of a cart's story. It ends where a command ends: with refused commands it may so be longer than the limit by the
 * other events of its last command.
 * @returns `next`: what to pass as `after` for the next page, if there is one.
 */
export async function readTimeline(
  db: Knex,
  userId: string,
  query: TimelineQuery,
): Promise<{ entries: TimelineEntry[]; next?: number }> {
  const orderColumn = query.withRejected ? 'sequence' : 'version';
  const { sql, bindings } = pageStatement(userId, query, orderColumn);
  const { rows } = await db.raw(`with page as materialized (${sql}) ${selectEntries}`, bindings);
  const last = rows[query.limit - 1]?.[orderColumn];
  const pageRows = last === undefined ? rows : rows.filter((row: TimelineRow) => row[orderColumn]! <= last);
  const entries = pageRows.map(toEntry);
  return rows.length > pageRows.length ? { entries, next: last } : { entries };
}

type TimelineRow = { [Field in keyof TimelineEntry]-?: TimelineEntry[Field] | null };

const toEntry = (row: TimelineRow): TimelineEntry =>
  Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null)) as unknown as TimelineEntry;

const eventsOnly = `
  select user_id, sequence, version, type, data, occurred_at from cart_events`;
const eventsAndRejections = `${eventsOnly}
  union all
  select user_id, sequence, null, 'CommandRejected'::text, data, decided_at from cart_commands where outcome = 'rejected'`;

/** One entry more than the limit, and those that belong together with it. */
function pageStatement(
  userId: string,
  query: TimelineQuery,
  orderColumn: string,
): { sql: string; bindings: Knex.Value[] } {
  const { after, limit, type, from, to, productId } = query;
  const conditions: [string, ...Knex.Value[]][] = [
    ['user_id = ?', userId],
    [`${orderColumn} > ?`, after],
  ];
  if (type !== undefined) conditions.push(['type = ?', type]);
  if (from !== undefined) conditions.push(['occurred_at >= ?', from]);
  if (to !== undefined) conditions.push(['occurred_at < ?', to]);
  if (productId !== undefined) conditions.push([productCondition, ...productPatterns(productId)]);
  return {
    sql: `select * from (${query.withRejected ? eventsAndRejections : eventsOnly}) as entry
          where ${conditions.map(([condition]) => condition).join(' and ')}
          order by ${orderColumn} fetch first ${limit + 1} rows with ties`,
    bindings: conditions.flatMap(([, ...values]) => values),
  };
}

const productCondition = '(data @> ? or data @> ? or data @> ?)';
const productPatterns = (productId: string): string[] =>
  [{ productId }, { items: [{ productId }] }, { previousItems: [{ productId }] }].map((pattern) =>
    JSON.stringify(pattern),
  );

const linesWhere = (condition: string) => `
  (select coalesce(json_agg(json_build_object('productId', product_id, 'name', name, 'quantity', quantity,
                                              'unitPrice', unit_price) order by added_version), '[]')
   from cart_item_history h where h.user_id = page.user_id and ${condition})`;

// A stretch that ends with version n is adjacent to [n, n], one that begins with it to [n - 1, n - 1]: unlike upper() and
// lower(), adjacency is what the index can look for.
const selectEntries = `
  select page.version, page.sequence, page.type, ${toInstantText('page.occurred_at')} as "occurredAt",
         command.type as command, command.command_id as "commandId", command.actor,
         ${toInstantText('command.issued_at')} as "issuedAt", page.data,
         case when version is not null then
           ${linesWhere(`h.versions -|- int4range(version, version, '[]') and upper(h.versions) = version`)} end as before,
         case when version is not null then
           ${linesWhere(`h.versions -|- int4range(version - 1, version - 1, '[]') and lower(h.versions) = version`)} end as after,
         command.code, command.reason, command.run_id as "runId"
  from page join cart_commands command on command.user_id = page.user_id and command.sequence = page.sequence
  order by page.sequence, page.version`;
