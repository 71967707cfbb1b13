import type { Knex } from 'knex';
import { mergePrefix } from '../../contract/ids';
import type { MergeStrategy } from '../../domain/commands';
import type { CartItem } from '../../domain/events';

/** The record of a guest's hand-over whose merge is not on record. */
export interface HandOver {
  readonly guestId: string;
  readonly to: string;
  readonly strategy: MergeStrategy;
  readonly items: readonly CartItem[];
  readonly currency: string | null;
  readonly note?: string;
  readonly actor: string;
  readonly handedOverAt: string;
}

const unmerged = `
  select user_id, actor, occurred_at, data from cart_events e
  where type = 'CartHandedOver'
    and not exists (select from cart_commands c
                    where c.user_id = e.data ->> 'to' and c.command_id = '${mergePrefix}' || e.user_id)`;

/** Finds the hand-over of a guest's cart; undefined where there is none, or where it is merged. */
export async function findUnmerged(db: Knex, guestId: string): Promise<HandOver | undefined> {
  const { rows } = await db.raw(`${unmerged} and user_id = ?`, [guestId]);
  return rows.map(toHandOver)[0];
}

/** Lists the hand-overs that are not merged and were decided in this period. */
export async function listUnmerged(db: Knex, since: Date, until: Date): Promise<HandOver[]> {
  const { rows } = await db.raw(`${unmerged} and occurred_at between ? and ? order by occurred_at`, [since, until]);
  return rows.map(toHandOver);
}

interface HandOverRow {
  readonly user_id: string;
  readonly actor: string;
  readonly occurred_at: Date;
  readonly data: Pick<HandOver, 'to' | 'strategy' | 'items' | 'currency' | 'note'>;
}

const toHandOver = ({ user_id: guestId, actor, occurred_at, data }: HandOverRow): HandOver => ({
  ...data,
  guestId,
  actor,
  handedOverAt: occurred_at.toISOString(),
});
