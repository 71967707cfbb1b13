import { Fold } from './fold';
import type { CommandAsk, Entry, FinalCart, Operation } from './types';

/** What a decision did, as the timeline shows it. A command that changed nothing is not in a timeline. */
export interface Effect {
  readonly commandId: string;
  /** The id under which it is recorded: of a reuse `<command id>~<sequence>`. */
  readonly recordedId: string;
  readonly sequence: number;
  readonly command: string;
  readonly versions: readonly number[];
  /** Of a rejected command. */
  readonly code?: string;
  readonly entries: readonly Entry[];
}

export type CommandOperation = Operation & { readonly ask: CommandAsk };

/** All that is known of a cart: its operations, and what its timeline shows. */
export interface Story {
  readonly cart: string;
  readonly final: FinalCart;
  readonly operations: readonly Operation[];
  /** The operations that sent a command, by its id. Those whose id is not known are not here. */
  readonly sent: ReadonlyMap<string, readonly Operation[]>;
  readonly effects: readonly Effect[];
  /** By command id, without the reuses. More than one where a command was decided twice. */
  readonly effectsOf: ReadonlyMap<string, readonly Effect[]>;
  /** The rejections of other requests under a command's id, by that id. */
  readonly reusesOf: ReadonlyMap<string, readonly Effect[]>;
  /** The fold after each version, as text. */
  readonly states: ReadonlyMap<number, string>;
  /** What was in the cart after each version, as text. */
  readonly contents: ReadonlyMap<number, string>;
  readonly sequences: ReadonlyMap<number, number>;
  /** Where an event contradicts the events before it. */
  readonly contradictions: readonly { readonly version: number; readonly what: string }[];
}

export function tellStory(cart: string, operations: readonly Operation[], final: FinalCart): Story {
  const effects = effectsIn(final.entries);
  const fold = new Fold();
  const states = new Map([[0, fold.text]]);
  const contents = new Map([[0, fold.content]]);
  const sequences = new Map([[0, 0]]);
  const contradictions: { version: number; what: string }[] = [];
  for (const event of final.entries.filter(({ version }) => version !== undefined)) {
    const version = event.version!;
    const what = fold.add(event);
    if (what !== undefined) contradictions.push({ version, what });
    states.set(version, fold.text);
    contents.set(version, fold.content);
    sequences.set(version, event.sequence);
  }
  return {
    cart,
    final,
    operations,
    sent: sentCommands(operations),
    effects,
    effectsOf: groupBy(
      effects.filter((effect) => !isReuse(effect)),
      ({ commandId }) => commandId,
    ),
    reusesOf: groupBy(effects.filter(isReuse), ({ commandId }) => commandId),
    states,
    contents,
    sequences,
    contradictions,
  };
}

function effectsIn(entries: readonly Entry[]): Effect[] {
  return [...groupBy(entries, ({ sequence }) => sequence)].map(([sequence, group]) => {
    const { commandId, command, code } = group[0]!;
    const versions = group.flatMap(({ version }) => (version === undefined ? [] : [version]));
    const id = baseId(commandId, sequence);
    const rejection = code === undefined ? {} : { code };
    return { commandId: id, recordedId: commandId, sequence, command, versions, ...rejection, entries: group };
  });
}

export const reuseCode = 'idempotency_key_reused';

/** Whether it rejected another request under an id that belongs to an earlier command. */
const isReuse = ({ code, commandId, recordedId }: Effect): boolean => code === reuseCode && recordedId !== commandId;

/** A command whose id an older command has is recorded as `<id>~<sequence>`. */
function baseId(commandId: string, sequence: number): string {
  const suffix = `~${sequence}`;
  return commandId.endsWith(suffix) ? commandId.slice(0, -suffix.length) : commandId;
}

function sentCommands(operations: readonly Operation[]): Map<string, Operation[]> {
  const sent = new Map<string, Operation[]>();
  for (const operation of operations) {
    for (const id of idsSentBy(operation)) {
      const list = sent.get(id);
      if (list) list.push(operation);
      else sent.set(id, [operation]);
    }
  }
  return sent;
}

/** The ids of the commands that an operation sent, as far as its client knows them. */
export function idsSentBy({ ask, body }: Operation): readonly string[] {
  if (ask.kind === 'signal') return ask.commands.map(({ commandId }) => commandId);
  if (ask.kind !== 'command') return [];
  const id = ask.key ?? (body as { commandId?: string } | undefined)?.commandId;
  return id === undefined ? [] : [id];
}

export const isCommand = (operation: Operation): operation is CommandOperation => operation.ask.kind === 'command';

export function groupBy<T, K>(list: readonly T[], keyOf: (entry: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const entry of list) {
    const key = keyOf(entry);
    const group = groups.get(key);
    if (group) group.push(entry);
    else groups.set(key, [entry]);
  }
  return groups;
}
