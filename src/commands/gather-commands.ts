import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from '../domain/commands';
import { limits } from '../domain/limits';

/** Sends a command to a user's cart. Resolves once Temporal has stored it. */
export type SendCommand = (userId: string, command: Command) => Promise<void>;

/** How long the first command of a group waits for more commands of its cart: a page often sends several at once. */
const gatheringMs = 2;
/** How long a group waits for the cart's last signal. Commands that arrive during this wait join the group. */
const lastSignalWaitMs = 250;

interface WaitingCommand {
  readonly command: Command;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Groups the commands of one cart that arrive at the same time, or while the cart's last signal is being sent.
 * @param sender.begin is called with the first command of a group; a look-up can run while the group is gathered.
 * @param sender.send sends at most `limits.commandsPerSignal` commands; if it throws, all of them fail.
 */
export function gatherCommands<Context>(sender: {
  begin(userId: string): Context;
  send(userId: string, commands: readonly Command[], context: Context): Promise<void>;
}): SendCommand {
  const groups = new Map<string, WaitingCommand[]>();
  const lastSignals = new Map<string, Promise<void>>();

  const sendGroup = async (userId: string) => {
    const context = sender.begin(userId);
    await delay(gatheringMs);
    const lastSignal = lastSignals.get(userId);
    if (lastSignal !== undefined) await Promise.race([lastSignal, delay(lastSignalWaitMs)]);
    const group = groups.get(userId)!;
    groups.delete(userId);
    for (let first = 0; first < group.length; first += limits.commandsPerSignal) {
      const part = group.slice(first, first + limits.commandsPerSignal);
      const sending = sendPart(userId, part, context).finally(() => {
        if (lastSignals.get(userId) === sending) lastSignals.delete(userId);
      });
      lastSignals.set(userId, sending);
    }
  };
  const sendPart = async (userId: string, part: readonly WaitingCommand[], context: Context) => {
    try {
      const commands = part.map(({ command }) => command);
      await sender.send(userId, commands, context);
      for (const { resolve } of part) resolve();
    } catch (error) {
      for (const { reject } of part) reject(error);
    }
  };

  return (userId, command) =>
    new Promise((resolve, reject) => {
      const group = groups.get(userId);
      if (group) group.push({ command, resolve, reject });
      else {
        groups.set(userId, [{ command, resolve, reject }]);
        void sendGroup(userId);
      }
    });
}
