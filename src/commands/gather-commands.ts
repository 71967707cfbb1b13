import { setTimeout as delay } from 'node:timers/promises';
import { bytesOf, payloadLimits } from '../contract/payload-limits';
import type { Command } from '../domain/commands';
import { limits } from '../domain/limits';

/** Sends a command to a user's cart, or those of one batch. Resolves once Temporal has stored them. */
export type SendCommand = (userId: string, ...commands: readonly Command[]) => Promise<void>;

/** How long the first command of a group waits for more commands of its cart: a page often sends several at once. */
const gatheringMs = 2;
/** How long a group waits for the cart's last signal. Commands that arrive during this wait join the group. */
const lastSignalWaitMs = 250;

interface Waiting {
  readonly commands: readonly Command[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Groups the commands of one cart that arrive at the same time, or while the cart's last signal is being sent.
 * @param sender.begin is called with the first command of a group; a look-up can run while the group is gathered.
 * @param sender.send sends one batch, or at most `limits.commandsPerSignal` commands that fit into a signal; if it
 * throws, all of them fail.
 */
export function gatherCommands<Context>(sender: {
  begin(userId: string): Context;
  send(userId: string, commands: readonly Command[], context: Context): Promise<void>;
}): SendCommand {
  const groups = new Map<string, Waiting[]>();
  const lastSignals = new Map<string, Promise<void>>();

  const sendGroup = async (userId: string) => {
    const context = sender.begin(userId);
    await delay(gatheringMs);
    const lastSignal = lastSignals.get(userId);
    if (lastSignal !== undefined) await Promise.race([lastSignal, delay(lastSignalWaitMs)]);
    const group = groups.get(userId)!;
    groups.delete(userId);
    for (const part of inSignals(group)) {
      const sending = sendPart(userId, part, context).finally(() => {
        if (lastSignals.get(userId) === sending) lastSignals.delete(userId);
      });
      lastSignals.set(userId, sending);
    }
  };
  const sendPart = async (userId: string, part: readonly Waiting[], context: Context) => {
    try {
      const commands = part.flatMap((each) => each.commands);
      await sender.send(userId, commands, context);
      for (const { resolve } of part) resolve();
    } catch (error) {
      for (const { reject } of part) reject(error);
    }
  };

  return (userId, ...commands) =>
    new Promise((resolve, reject) => {
      const group = groups.get(userId);
      if (group) group.push({ commands, resolve, reject });
      else {
        groups.set(userId, [{ commands, resolve, reject }]);
        void sendGroup(userId);
      }
    });
}

/** Distributes what waits over signals, in order. A batch has a signal of its own. */
function inSignals(group: Waiting[]): Waiting[][] {
  // Most groups are one command, whose size need not be known.
  if (group.length === 1) return [group];
  const signals: Waiting[][] = [];
  let bytes = 0;
  for (const waiting of group) {
    const last = signals.at(-1);
    const size = bytesOf(waiting.commands);
    const hasRoom = last && last.length < limits.commandsPerSignal && bytes + size <= payloadLimits.signalBytes;
    if (hasRoom && !isBatch(last[0]!) && !isBatch(waiting)) {
      last.push(waiting);
      bytes += size;
    } else {
      signals.push([waiting]);
      bytes = size;
    }
  }
  return signals;
}

const isBatch = ({ commands }: Waiting): boolean => commands[0]!.batch !== undefined;
