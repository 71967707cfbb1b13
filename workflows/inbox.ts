import { defineSignal, setDefaultSignalHandler, setHandler } from '@temporalio/workflow';
import {
  batchSignalName,
  commandSignalNames,
  commandsSignalName,
  parseSignal,
  reservedSignalName,
} from '../src/contract/signals';
import type { IncomingCommand } from '../src/domain/commands';
import { withFacts } from '../src/domain/facts';
import { currentBuild, factsBuild } from './build';

const commandSignals = commandSignalNames.map((name) => defineSignal<unknown[]>(name));
const batchSignal = defineSignal<unknown[]>(batchSignalName);
const commandsSignal = defineSignal<unknown[]>(commandsSignalName);

/** The commands that a run received and has not decided, in the order of arrival. */
export interface Inbox {
  /** The number of signals that this run received. */
  readonly received: number;
  /** The time of the last signal, as `Date.now()` returns it; before the first signal, the start of the run. */
  readonly lastReceivedAt: number;
  hasCommands(): boolean;
  /** Removes and returns all commands. */
  take(): IncomingCommand[];
}

/** Starts receiving signals of every name and shape. The handlers only enqueue, so no signal can fail the workflow. */
export function openInbox(): Inbox {
  const queue: IncomingCommand[] = [];
  const inbox = { received: 0, lastReceivedAt: Date.now(), hasCommands, take };
  /** The build of the run's last task: what comes with the first task of another one was sent before that. */
  let lastBuild = currentBuild();
  const receive = (name: string, ...inputs: readonly unknown[]) => {
    const commands = parseSignal(name, ...inputs);
    queue.push(...(lastBuild >= factsBuild ? commands.map(withFacts) : commands));
    inbox.received += 1;
    inbox.lastReceivedAt = Date.now();
  };
  for (const signal of commandSignals) {
    setHandler(signal, (...inputs) => receive(signal.name, ...inputs), { description: `The command ${signal.name}` });
  }
  setHandler(commandsSignal, (...inputs) => receive(commandsSignalName, ...inputs), {
    description: 'Several commands at once, each with its type',
  });
  setHandler(batchSignal, (...inputs) => receive(batchSignalName, ...inputs), {
    description: 'Commands that are decided together: a batch',
  });
  function hasCommands(): boolean {
    receiveUnknown(receive);
    return queue.length > 0;
  }
  function take(): IncomingCommand[] {
    receiveUnknown(receive);
    lastBuild = currentBuild();
    return queue.splice(0);
  }
  return inbox;
}

/**
 * Receives the signals whose names are not those of commands. While a default handler is set, the SDK throws on a
 * signal with its reserved prefix. An uncaught error would block the workflow permanently. So the default handler is
 * set only here, where the error is caught.
 */
function receiveUnknown(receive: (name: string, ...inputs: unknown[]) => void): void {
  for (let isDone = false; !isDone; ) {
    try {
      setDefaultSignalHandler(receive);
      isDone = true;
    } catch {
      receive(reservedSignalName);
    }
  }
  setDefaultSignalHandler(undefined);
}
