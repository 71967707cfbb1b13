import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from '../domain/commands';
import { limits } from '../domain/limits';

/** Sends a command to a user's cart. Resolves once Temporal has it durably. */
export type SendCommand = (userId: string, command: Command) => Promise<void>;

/** How long the first command of a group waits for others of its cart, as a page load sends them. */
const gatherMs = 2;
/** How long a group waits for the cart's last signal, so that the commands of that time go together in the next one. */
const lastSignalMs = 250;

interface Waiting {
  readonly command: Command;
  readonly sent: () => void;
  readonly failed: (error: unknown) => void;
}

/**
 * Gathers commands of one cart that come at the same time, or while the cart's last signal is being sent, into groups.
 * @param sender.begin is called when a group begins, for what may be asked while it is gathered.
 * @param sender.send sends a group of at most `limits.commandsPerSignal` commands; what it throws fails them all.
 */
export function gatherCommands<Context>(sender: {
  begin(userId: string): Context;
  send(userId: string, commands: readonly Command[], context: Context): Promise<void>;
}): SendCommand {
  const groups = new Map<string, Waiting[]>();
  const lastSignals = new Map<string, Promise<void>>();

  const gather = async (userId: string) => {
    const context = sender.begin(userId);
    await delay(gatherMs);
    const lastSignal = lastSignals.get(userId);
    if (lastSignal !== undefined) await Promise.race([lastSignal, delay(lastSignalMs)]);
    const group = groups.get(userId)!;
    groups.delete(userId);
    for (let first = 0; first < group.length; first += limits.commandsPerSignal) {
      const part = group.slice(first, first + limits.commandsPerSignal);
      const sending = send(userId, part, context).finally(() => {
        if (lastSignals.get(userId) === sending) lastSignals.delete(userId);
      });
      lastSignals.set(userId, sending);
    }
  };
  const send = async (userId: string, group: readonly Waiting[], context: Context) => {
    try {
      const commands = group.map(({ command }) => command);
      await sender.send(userId, commands, context);
      for (const { sent } of group) sent();
    } catch (error) {
      for (const { failed } of group) failed(error);
    }
  };

  return (userId, command) =>
    new Promise((sent, failed) => {
      const group = groups.get(userId);
      if (group) group.push({ command, sent, failed });
      else {
        groups.set(userId, [{ command, sent, failed }]);
        void gather(userId);
      }
    });
}
