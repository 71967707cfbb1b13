import type { Command, MalformedCommand } from '../domain/commands';
import { limits } from '../domain/limits';
import { commandTypes, parseCommand } from './parse-command';

/** The signals that carry one command each. They have the name of the command's type, to make histories readable. */
export const commandSignalNames = commandTypes;

/** The signal that carries several commands, each with its type. */
export const commandsSignalName = 'commands';

/**
 * The signal that asks a cart to take over what earlier runs left behind. It carries no command: the run reads the
 * commands itself, so anybody may send it at any time.
 */
export const deliverSignalName = 'deliverLeftBehind';

/** The name under which signals are received that Temporal's SDK keeps for itself. */
export const reservedSignalName = 'a reserved signal name';

/** A signal as the client sends it and the workflow receives it. */
export interface CommandSignal {
  readonly signal: string;
  readonly signalArgs: [unknown];
}

/** Makes the signal that carries these commands: at least one, at most `limits.commandsPerSignal`. */
export function toSignal(commands: readonly Command[]): CommandSignal {
  const [first] = commands;
  if (commands.length > 1) return { signal: commandsSignalName, signalArgs: [commands] };
  const { type, ...payload } = first!;
  return { signal: type, signalArgs: [payload] };
}

/**
 * Reads the inputs of a signal with this name, whatever they are. It never throws, and returns at least one command.
 * A signal has one input; each further one is a malformed command, as far as a signal may have commands.
 */
export function parseSignal(
  name: string,
  ...[input, ...further]: readonly unknown[]
): readonly (Command | MalformedCommand)[] {
  const inputs = further.length < limits.commandsPerSignal ? further : [further];
  return [...parseInput(name, input), ...inputs.map((each) => parseCommand('a further input of a signal', each))];
}

function parseInput(name: string, payload: unknown): readonly (Command | MalformedCommand)[] {
  const isList = Array.isArray(payload) && payload.length > 0 && payload.length <= limits.commandsPerSignal;
  if (name !== commandsSignalName || !isList) return [parseCommand(name, payload)];
  return payload.map((entry) => parseCommand(typeOf(entry) ?? name, entry));
}

function typeOf(entry: unknown): string | undefined {
  if (typeof entry !== 'object' || entry === null || !Object.hasOwn(entry, 'type')) return undefined;
  const { type } = entry as { type: unknown };
  return typeof type === 'string' ? type : undefined;
}
