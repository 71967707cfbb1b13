import { defineSignal, setDefaultSignalHandler, setHandler } from '@temporalio/workflow';
import { commandSignalNames, commandsSignalName, parseSignal } from '../src/contract/signals';
import type { Command, MalformedCommand } from '../src/domain/commands';

const commandSignals = commandSignalNames.map((name) => defineSignal<[unknown]>(name));
const commandsSignal = defineSignal<[unknown]>(commandsSignalName);

/** The commands a run received and has not decided, in the order they came. */
export interface Inbox {
  /** How many signals this run received. */
  readonly received: number;
  /** When the last one came, as `Date.now()` has it; at first, when the run began. */
  readonly lastReceivedAt: number;
  hasCommands(): boolean;
  /** Empties the inbox. */
  take(): (Command | MalformedCommand)[];
}

/** Receives signals of every name and shape from now on. Its handlers only enqueue, so that none can fail the cart. */
export function openInbox(): Inbox {
  const queue: (Command | MalformedCommand)[] = [];
  const inbox = { received: 0, lastReceivedAt: Date.now(), hasCommands, take };
  const receive = (name: string, payload: unknown) => {
    queue.push(...parseSignal(name, payload));
    inbox.received += 1;
    inbox.lastReceivedAt = Date.now();
  };
  for (const signal of commandSignals) {
    setHandler(signal, (payload) => receive(signal.name, payload), { description: `The command ${signal.name}` });
  }
  setHandler(commandsSignal, (payload) => receive(commandsSignalName, payload), {
    description: 'Several commands at once, each with its type',
  });
  function hasCommands(): boolean {
    receiveUnknown(receive);
    return queue.length > 0;
  }
  function take(): (Command | MalformedCommand)[] {
    receiveUnknown(receive);
    return queue.splice(0);
  }
  return inbox;
}

/**
 * Receives the signals that no command is named like. The SDK throws on one whose name begins with its reserved prefix as
 * soon as a default handler is there, and that would stop the cart for good; so one is there only while it can be caught.
 */
function receiveUnknown(receive: (type: string, payload: unknown) => void): void {
  for (let isDone = false; !isDone; ) {
    try {
      setDefaultSignalHandler(receive);
      isDone = true;
    } catch {
      receive('a reserved signal name', undefined);
    }
  }
  setDefaultSignalHandler(undefined);
}
