import { mergeCommandId } from '../contract/ids';
import { toSignal } from '../contract/signals';
import { type CartWorkflow, cartStartOptions, cartWorkflowType } from '../contract/workflow';
import type { MergeCart } from '../domain/commands';
import { findUnmerged, type HandOver, listUnmerged } from '../postgres/log/hand-overs';
import { signalUntilTaken } from '../temporal/closing-run';
import type { HistorySource } from '../temporal/histories/histories';

/** Sends to a user's cart what a guest has handed over, unless that is merged already. */
export async function mergeHandedOver(source: HistorySource, taskQueue: string, guestId: string): Promise<void> {
  const handOver = await findUnmerged(source.db, guestId);
  if (handOver !== undefined) await sendMerge(source, taskQueue, handOver);
}

/** The guest's own run sends the merge. It is given so much time before a sweep does. */
const ownTimeMs = 5_000;
/** Decisions of a run get on record later than they are made, while Postgres is away even much later. */
const lateMs = 86_400_000;

/**
 * Makes a function that sends the merges that nobody has sent: a run was terminated before it did, or Postgres has lost
 * the merge. The first time it looks at all hand-overs, later at those of the last day.
 * @returns how many it sent.
 */
export function createMergeSweep(source: HistorySource, taskQueue: string) {
  let since = new Date(0);
  return async (signal?: AbortSignal): Promise<number> => {
    const startedAt = Date.now();
    const handOvers = await listUnmerged(source.db, since, new Date(startedAt - ownTimeMs));
    let sent = 0;
    for (const handOver of handOvers) {
      if (signal?.aborted) return sent;
      await sendMerge(source, taskQueue, handOver);
      sent += 1;
    }
    since = new Date(startedAt - lateMs);
    return sent;
  };
}

/** The command is the same however often it is sent, so it has one effect. */
async function sendMerge({ client }: HistorySource, taskQueue: string, handOver: HandOver): Promise<void> {
  const { guestId, to, strategy, items, currency, note, actor, handedOverAt } = handOver;
  const command: MergeCart = {
    type: 'mergeCart',
    ...{ commandId: mergeCommandId(guestId), issuedAt: handedOverAt, actor },
    ...{ from: guestId, strategy, items, currency, ...(note === undefined ? {} : { note }) },
  };
  const options = { ...cartStartOptions(to, taskQueue), ...toSignal([command]) };
  await signalUntilTaken(() => client.workflow.signalWithStart<CartWorkflow, [unknown]>(cartWorkflowType, options));
}
