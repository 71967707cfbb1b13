import type { Knex } from 'knex';
import type { RecordedDecision } from '../../domain/handle';
import { readLogs } from '../log/read-logs';
import { type OldRows, type RepairNote, readRows } from '../log/repairs';
import { buildReadModel } from '../read-model/build';
import { replaceReadModels } from '../read-model/replace';
import { project } from './project';

/** What signs a note about a repair, together with the rows that it replaced. */
export type SignRepair = (note: RepairNote, oldRows: OldRows) => Buffer;

/**
 * Replaces the decisions of a cart's log from one on, and rebuilds its read model. The old rows are kept, with a signed
 * note: without one in the same transaction, Postgres does not allow it. The cart is not parked any more then.
 * @param decisions all decisions from `note.first` on; none where the note only accepts a gap.
 */
export async function repairLog(
  db: Knex,
  userId: string,
  note: RepairNote,
  decisions: readonly RecordedDecision[],
  sign: SignRepair,
): Promise<void> {
  await db.transaction(async (trx) => {
    await trx('carts').where({ user_id: userId }).forUpdate().first('user_id');
    const oldRows = await readRows(trx, userId, note.first);
    await trx('cart_repairs').insert({
      user_id: userId,
      repaired_at: note.repairedAt,
      note: JSON.stringify(note),
      signature: sign(note, oldRows),
      old_rows: JSON.stringify(oldRows),
    });
    for (const table of ['cart_events', 'cart_commands']) {
      await trx(table).where({ user_id: userId }).where('sequence', '>=', note.first).delete();
    }
    const logs = await readLogs(trx, [userId]);
    await replaceReadModels(trx, 'public', [userId], logs.map(buildReadModel));
    if (decisions.length > 0) await project(trx, userId, decisions);
    await trx('cart_forks').where({ user_id: userId }).delete();
  });
}
