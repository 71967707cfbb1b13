import { type Command, isMalformed, type MalformedCommand } from '../domain/commands';
import { isId } from '../domain/fields';
import { limits } from '../domain/limits';
import { isObject } from './objects';
import { commandTypes, parseCommand, toMalformed } from './parse-command';

/** The signals that carry one command each. They have the name of the command's type, to make histories readable. */
export const commandSignalNames = commandTypes;

/** The signal that carries several commands, each with its type. */
export const commandsSignalName = 'commands';

/** The signal that carries a batch: its id, whether it is atomic, and its commands, each with its type. */
export const batchSignalName = 'batch';

/** The types of commands that a batch can have. Their size is bounded, and so is that of a batch. */
export const batchTypes = [
  'addItem',
  'changeItemQuantity',
  'removeItem',
  'clearCart',
  'changeNote',
  'checkOut',
] as const;

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

/** Makes the signal that carries these commands: one batch, or at least one, at most `limits.commandsPerSignal`. */
export function toSignal(commands: readonly Command[]): CommandSignal {
  const [first] = commands;
  if (first?.batch !== undefined) {
    const { id, atomic } = first.batch;
    const signalArgs: [unknown] = [{ id, atomic, commands: commands.map(({ batch: _batch, ...command }) => command) }];
    return { signal: batchSignalName, signalArgs };
  }
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
  if (name === batchSignalName) return parseBatch(payload);
  const isList = Array.isArray(payload) && payload.length > 0 && payload.length <= limits.commandsPerSignal;
  if (name !== commandsSignalName || !isList) return [parseCommand(name, payload)];
  return payload.map((entry) => parseCommand(typeOf(entry) ?? name, entry));
}

/** A batch that cannot be read as a whole is one malformed command. */
function parseBatch(payload: unknown): readonly (Command | MalformedCommand)[] {
  if (!isObject(payload) || !isId(payload.id) || typeof payload.atomic !== 'boolean' || !isList(payload.commands)) {
    const most = limits.commandsPerBatch;
    return [toMalformed(batchSignalName, payload, `a batch has an id, atomic, and 1 to ${most} commands`)];
  }
  const { id, atomic, commands: entries } = payload;
  const commands = entries.map((entry) => parseCommand(typeOf(entry) ?? batchSignalName, entry));
  if (!canBeBatch(commands)) {
    return [toMalformed(batchSignalName, payload, `a batch has readable commands: ${batchTypes}, checkOut once`)];
  }
  const place = { id, size: commands.length, atomic };
  return commands.map((command, index) => ({ ...command, batch: { ...place, place: index + 1 } }));
}

const isList = (value: unknown): value is readonly unknown[] =>
  Array.isArray(value) && value.length > 0 && value.length <= limits.commandsPerBatch;

const canBeBatch = (commands: readonly (Command | MalformedCommand)[]): commands is readonly Command[] =>
  commands.every((command) => !isMalformed(command) && (batchTypes as readonly string[]).includes(command.type)) &&
  commands.filter(({ type }) => type === 'checkOut').length <= 1 &&
  new Set(commands.map(({ commandId }) => commandId)).size === commands.length;

function typeOf(entry: unknown): string | undefined {
  if (typeof entry !== 'object' || entry === null || !Object.hasOwn(entry, 'type')) return undefined;
  const { type } = entry as { type: unknown };
  return typeof type === 'string' ? type : undefined;
}
