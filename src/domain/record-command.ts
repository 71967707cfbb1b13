import { type Command, type IncomingCommand, isMalformed, type MalformedCommand } from './commands';
import { fingerprintOf } from './fingerprint';
import type { RecordedDecision } from './handle';

/** A command as it is recorded: its envelope, and its own fields as `data`. */
export interface RecordedCommand {
  readonly commandId: string;
  readonly type: string;
  readonly actor: string;
  readonly issuedAt: string;
  readonly expectedVersion?: number;
  readonly data: Readonly<Record<string, unknown>>;
}

export function record(command: Command): RecordedCommand {
  const { type, commandId, issuedAt, actor, expectedVersion, ...data } = command;
  return { commandId, type, actor, issuedAt, ...(expectedVersion === undefined ? {} : { expectedVersion }), data };
}

/** The id under which a command is recorded whose own id belongs to another command. */
export const reuseId = (commandId: string, sequence: number): string => `${commandId}~${sequence}`;

/** The reason for which a malformed command is rejected. */
export const unreadable = (reason: string): string => `The command could not be read: ${reason}.`;

/** The id of a malformed command without one. */
export const unnamedId = (fingerprint: string): string => `unnamed-${fingerprint}`;

/** The ids under which a command can be on record, and the fingerprint that it has there. */
export function identify(command: Command | MalformedCommand): { ids: readonly string[]; fingerprint: string } {
  if (!isMalformed(command)) return { ids: [command.commandId], fingerprint: fingerprintOf(record(command)) };
  const { type, commandId, payload } = command;
  const fingerprint = fingerprintOf({ type, data: { payload } });
  return { ids: [...(commandId === undefined ? [] : [commandId]), unnamedId(fingerprint)], fingerprint };
}

/** The command that a decision was made of. */
export function toCommand({ command, ...decision }: RecordedDecision): IncomingCommand {
  const { commandId: recordedId, type, actor, issuedAt, expectedVersion, data } = command;
  const code = decision.outcome === 'rejected' ? decision.code : undefined;
  const commandId = code === 'idempotency_key_reused' ? recordedId.slice(0, recordedId.lastIndexOf('~')) : recordedId;
  if (typeof data.payload === 'string') {
    const reason = decision.outcome === 'rejected' ? decision.reason : '';
    const [before, after] = unreadable('\n').split('\n') as [string, string];
    const inner = reason.startsWith(before) ? reason.slice(before.length, -after.length) : reason;
    return { type, commandId, reason: inner, payload: data.payload };
  }
  const envelope = { commandId, issuedAt, actor, ...(expectedVersion === undefined ? {} : { expectedVersion }) };
  const own = { type, ...envelope, ...data } as Command;
  return decision.outcome === 'rejected' && code === 'superseded' ? { superseded: own, reason: decision.reason } : own;
}
