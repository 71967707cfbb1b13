import type { RecordedDecision } from '../domain/handle';
import { repeatedId } from './fork';
import type { ChainedEvent } from './hash-chain';

/**
 * Decisions of one cart as rows of `cart_commands`. Where a command id comes twice among them, the later one is kept under
 * `repeated_id`, as it must be where an earlier decision that Postgres has is kept under this id.
 */
export function toCommandRows(userId: string, decisions: readonly RecordedDecision[]) {
  const seen = new Set<string>();
  return decisions.map(({ sequence, command, decidedAt, runId, outcome, code, reason }) => {
    const { commandId, type, actor, issuedAt, expectedVersion, data } = command;
    const isRepeated = seen.has(commandId);
    seen.add(commandId);
    return {
      user_id: userId,
      sequence,
      command_id: isRepeated ? repeatedId(commandId, sequence) : commandId,
      repeated_id: repeatedId(commandId, sequence),
      type,
      actor,
      issued_at: issuedAt,
      decided_at: decidedAt,
      run_id: runId,
      expected_version: expectedVersion ?? null,
      data,
      outcome,
      code: code ?? null,
      reason: reason ?? null,
    };
  });
}

/** The events of these decisions as rows of `cart_events`. */
export function toEventRows(userId: string, decisions: readonly RecordedDecision[], chained: readonly ChainedEvent[]) {
  const sequences = decisions.flatMap(({ sequence, events }) => events.map(() => sequence));
  return chained.map(({ event, previousHash, hash }, index) => ({
    user_id: userId,
    version: event.version,
    sequence: sequences[index],
    type: event.type,
    data: event.data,
    command_id: event.commandId,
    actor: event.actor,
    occurred_at: event.occurredAt,
    previous_hash: hex(previousHash),
    hash: hex(hash),
  }));
}

/** Bytes as Postgres reads them from a text. */
export const hex = (bytes: Buffer): string => `\\x${bytes.toString('hex')}`;
