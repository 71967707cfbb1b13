import type { Knex } from 'knex';
import type { RecordedDecision } from '../domain/handle';
import { chain, genesisHash } from './hash-chain';

/** Postgres holds another decision or event at a place of the log than the one to be projected. */
export class ForkError extends Error {
  override readonly name = 'ForkError';
}

/**
 * The id under which a command is kept whose id an older, forgotten command already has. It happens only when a repeat gets
 * past both the command side's look-up and the workflow's memory; it must not stop the projection.
 */
export const repeatedId = (commandId: string, sequence: number): string => `${commandId}~${sequence}`;

/** Whether a command on record under this id is the one of that id and sequence. */
export const isKeptAs = (kept: string | undefined, commandId: string, sequence: number): boolean =>
  kept === commandId || kept === repeatedId(commandId, sequence);

/**
 * Makes sure that what Postgres has at these places of the log is what these decisions say.
 * @throws ForkError naming the first difference.
 */
export async function assertSame(db: Knex, userId: string, known: readonly RecordedDecision[]): Promise<void> {
  if (known.length === 0) return;
  const stored = await db('cart_commands')
    .select('sequence', 'command_id', 'outcome')
    .where({ user_id: userId })
    .whereIn(
      'sequence',
      known.map((decision) => decision.sequence),
    )
    .orderBy('sequence');
  known.forEach((decision, index) => {
    const { command, outcome, sequence } = decision;
    const there = stored[index];
    const isSame = there?.outcome === outcome && isKeptAs(there?.command_id, command.commandId, sequence);
    if (!isSame) {
      throw new ForkError(
        `Cart ${userId} has command ${there?.command_id} (${there?.outcome}) as decision ${sequence} in Postgres; ` +
          `the workflow has ${command.commandId} (${outcome}).`,
      );
    }
  });
  await assertSameEvents(db, userId, known);
}

async function assertSameEvents(db: Knex, userId: string, known: readonly RecordedDecision[]): Promise<void> {
  const events = known.flatMap((decision) => decision.events);
  const versions = events.map((event) => event.version);
  const stored = await db('cart_events')
    .select('version', 'hash', 'previous_hash')
    .where({ user_id: userId })
    .whereIn('version', versions)
    .orderBy('version');
  const chained = chain(stored[0]?.previous_hash ?? genesisHash, userId, events);
  const differing = chained.find(({ hash }, index) => stored[index] === undefined || !hash.equals(stored[index].hash));
  if (differing !== undefined) {
    throw new ForkError(
      `Cart ${userId} has another event at version ${differing.event.version} in Postgres than the workflow.`,
    );
  }
}
