import { randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { sendOverHttp } from '../contestants';
import type { Setup } from '../setup';

/** How many requests were sent while something else ran, and how many of them failed. */
export interface Traffic {
  readonly commands: number;
  readonly failedCommands: number;
  readonly reads: number;
  readonly failedReads: number;
}

const msBetweenCommands = 20;
const msBetweenReads = 5;

/** Runs the task while 50 commands per second are sent to random carts and these are read one after the other. */
export async function withTraffic<T>(
  { http }: Setup,
  users: readonly string[],
  task: () => Promise<T>,
): Promise<{ readonly result: T; readonly traffic: Traffic }> {
  const traffic = { commands: 0, failedCommands: 0, reads: 0, failedReads: 0 };
  let isOver = false;
  const randomUser = () => users[randomInt(users.length)]!;
  const sendCommand = async () => {
    traffic.commands += 1;
    await sendOverHttp(http.commands, randomUser()).catch(() => {
      traffic.failedCommands += 1;
    });
  };
  const sendCommands = async () => {
    const sent: Promise<void>[] = [];
    for (; !isOver; await delay(msBetweenCommands)) sent.push(sendCommand());
    await Promise.all(sent);
  };
  const sendReads = async () => {
    for (; !isOver; await delay(msBetweenReads)) {
      traffic.reads += 1;
      const answer = await http.queries('GET', `/carts/${randomUser()}`).catch(() => undefined);
      if (answer?.status !== 200) traffic.failedReads += 1;
    }
  };
  const sending = Promise.all([sendCommands(), sendReads()]);
  try {
    const result = await task();
    return { result, traffic };
  } finally {
    isOver = true;
    await sending;
  }
}
