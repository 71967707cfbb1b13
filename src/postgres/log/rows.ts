import type { CartEvent } from '../../domain/events';
import type { RecordedDecision } from '../../domain/handle';
import type { RecordedCommand } from '../../domain/record-command';
import { hashFormat, type Link } from './hash-chain';

/**
 * The recorded id of a command whose own id is already used by an older command. This happens only to decisions of runs
 * that did not name what they followed on. It must not stop the projection.
 */
const repeatedId = (commandId: string, sequence: number): string => `${commandId}~${sequence}`;

/** Whether this recorded id can belong to the command with this id and sequence. */
export const isRecordedAs = (recorded: string, commandId: string, sequence: number): boolean =>
  recorded === commandId || recorded === repeatedId(commandId, sequence);

/**
 * Gives commands whose id is used already another one, under which they are recorded.
 * @param usedIds the ids on record.
 */
export function nameApart(
  decisions: readonly RecordedDecision[],
  usedIds: ReadonlySet<string>,
): readonly RecordedDecision[] {
  const used = new Set(usedIds);
  return decisions.map((decision) => {
    const { command, sequence } = decision;
    if (used.has(command.commandId)) {
      return { ...decision, command: { ...command, commandId: repeatedId(command.commandId, sequence) } };
    }
    used.add(command.commandId);
    return decision;
  });
}

/** Converts decisions of one cart to rows of `cart_commands`. */
export function toCommandRows(userId: string, decisions: readonly RecordedDecision[], links: readonly Link[]) {
  return decisions.map(({ sequence, command, decidedAt, runId, ...decision }, index) => {
    const { commandId, type, actor, issuedAt, expectedVersion, data } = command;
    return {
      user_id: userId,
      sequence,
      command_id: commandId,
      type,
      actor,
      issued_at: issuedAt,
      decided_at: decidedAt,
      run_id: runId,
      expected_version: expectedVersion ?? null,
      data,
      outcome: decision.outcome,
      code: decision.outcome === 'rejected' ? decision.code : null,
      reason: decision.outcome === 'rejected' ? decision.reason : null,
      ...toHashColumns(links[index]!),
    };
  });
}

/** The columns of a row's place in its hash chain. */
export const toHashColumns = ({ previousHash, hash }: Link) => ({
  hash_format: hashFormat,
  previous_hash: hex(previousHash),
  hash: hex(hash),
});

/** Converts the events of these decisions to rows of `cart_events`. */
export const toEventRows = (userId: string, decisions: readonly RecordedDecision[]) =>
  decisions.flatMap(({ sequence, events }) =>
    events.map((event) => ({
      user_id: userId,
      version: event.version,
      sequence,
      type: event.type,
      data: event.data,
      command_id: event.commandId,
      actor: event.actor,
      occurred_at: event.occurredAt,
    })),
  );

/** Bytes in the text form of Postgres. */
export const hex = (bytes: Buffer): string => `\\x${bytes.toString('hex')}`;

/** The columns that `toEvent` reads. */
export const eventColumns = ['version', 'type', 'data', 'command_id', 'actor', 'occurred_at'] as const;

export interface CartEventRow {
  version: number;
  type: string;
  data: unknown;
  command_id: string;
  actor: string;
  occurred_at: Date;
}

/** Converts a row of `cart_events` to its event. */
export const toEvent = (row: CartEventRow): CartEvent =>
  ({
    version: row.version,
    type: row.type,
    data: row.data,
    occurredAt: row.occurred_at.toISOString(),
    commandId: row.command_id,
    actor: row.actor,
  }) as CartEvent;

export interface CartCommandRow {
  sequence: number;
  command_id: string;
  type: string;
  actor: string;
  issued_at: Date;
  decided_at: Date;
  run_id: string;
  expected_version: number | null;
  data: RecordedCommand['data'];
  outcome: RecordedDecision['outcome'];
  code: string | null;
  reason: string | null;
}

/** A row of `cart_commands`, with its events, as the decision it stores. */
export const toDecision = (row: CartCommandRow, events: readonly CartEvent[]): RecordedDecision =>
  ({
    sequence: row.sequence,
    command: {
      commandId: row.command_id,
      type: row.type,
      actor: row.actor,
      issuedAt: row.issued_at.toISOString(),
      ...(row.expected_version === null ? {} : { expectedVersion: row.expected_version }),
      data: row.data,
    },
    decidedAt: row.decided_at.toISOString(),
    runId: row.run_id,
    outcome: row.outcome,
    ...(row.code === null ? {} : { code: row.code }),
    ...(row.reason === null ? {} : { reason: row.reason }),
    events,
  }) as RecordedDecision;
