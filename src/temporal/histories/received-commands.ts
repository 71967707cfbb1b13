import { deliverSignalName, parseSignal, reservedSignalName } from '../../contract/signals';
import { isCarriedState } from '../../contract/workflow';
import { type Command, isSuperseded, type MalformedCommand } from '../../domain/commands';
import { toCommand } from '../../domain/record-command';
import { payloadConverter } from '../payload-converter';
import { endOf, type History, instantOf, startOf } from './runs';

/** A command that a run received. */
export interface ReceivedCommand {
  readonly command: Command | MalformedCommand;
  /** When Temporal received it, by its clock. Of a carried command: when it was decided, which is not before. */
  readonly receivedAt: string;
}

/** Endings after which no other run continues with what this one received. */
const lastingEndings: ReadonlySet<string | undefined> = new Set(['Terminated', 'Failed', 'TimedOut', 'Canceled']);

/** Whether a run ended without handing on what it had received. */
export const hasLeftBehind = (history: History): boolean => lastingEndings.has(endOf(history)?.closedAs);

/** The commands whose decisions the previous run handed on to this one, because they were not projected. */
export function commandsCarriedInto(history: History): ReceivedCommand[] {
  const { input } = history.events![0]!.workflowExecutionStartedEventAttributes ?? {};
  const [carried] = decodeAll(input);
  if (startOf(history).previousRunId === undefined || !isCarriedState(carried)) return [];
  return carried.unprojected.map((decision) => {
    const command = toCommand(decision);
    return { command: isSuperseded(command) ? command.superseded : command, receivedAt: decision.decidedAt };
  });
}

/** The commands that came to a run by signals, in order; in a run that was reset, those of before as well. */
export function commandsSignalledTo({ events }: History): ReceivedCommand[] {
  return events!.flatMap((event) => {
    const { workflowExecutionSignaledEventAttributes: signaled } = event;
    const name = signaled?.signalName;
    if (!signaled || !name || name === deliverSignalName) return [];
    const commands = isReserved(name)
      ? parseSignal(reservedSignalName)
      : parseSignal(name, ...decodeAll(signaled.input));
    return commands.map((command) => ({ command, receivedAt: instantOf(event) }));
  });
}

/** The SDK rejects signals whose names it keeps for itself; the cart records them under one name. */
const isReserved = (name: string): boolean => name.startsWith('__temporal_');

type Payloads = Parameters<typeof payloadConverter.fromPayload>[0][];

const decodeAll = (input: { payloads?: Payloads | null } | null | undefined): unknown[] =>
  (input?.payloads ?? []).map((payload) => payloadConverter.fromPayload(payload));
