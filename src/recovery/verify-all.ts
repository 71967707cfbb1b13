import { setTimeout as delay } from 'node:timers/promises';
import { readLeftRuns } from '../delivery/left-runs';
import { readUnrecorded } from '../delivery/unrecorded';
import { identify } from '../domain/record-command';
import { listLoggedCarts } from '../postgres/log/read-logs';
import { listUsersInReadModel } from '../postgres/read-model/stored';
import { forEachAtOnce } from '../temporal/histories/each';
import { type HistorySource, listUsers } from '../temporal/histories/histories';
import { readHistoryRecord } from '../temporal/histories/read-decisions';
import { sampleOf } from './sample';
import { type Finding, type Verification, verifyCart } from './verify';

/** The result of verifying some carts. */
export interface VerifyResult {
  readonly carts: number;
  readonly decisions: number;
  readonly events: number;
  /** How many decisions are in no history any more. They are compared only with the hash chain and the read model. */
  readonly notInHistories: number;
  readonly findings: readonly Finding[];
}

const cartsAtOnce = 4;
const retryMs = 2_000;

/** Verifies one cart, and a second time if there are findings, because a projection may not have finished. */
export async function verifyUser(source: HistorySource, userId: string): Promise<Verification> {
  const verify = async () => {
    const histories = await readHistoryRecord(source, userId);
    const verification = await verifyCart(source.db, userId, histories);
    const undelivered = histories.hasLeftRuns ? await findUndelivered(source, userId) : [];
    return { ...verification, findings: [...verification.findings, ...undelivered] };
  };
  const first = await verify();
  if (first.findings.length === 0) return first;
  await delay(retryMs);
  return verify();
}

/** The commands that ended runs left behind and that are not on record yet. */
async function findUndelivered(source: HistorySource, userId: string): Promise<Finding[]> {
  const commands = await readUnrecorded(source, userId, await readLeftRuns(source, userId));
  return commands.map(({ command, receivedAt }) => ({
    userId,
    where: 'histories',
    what:
      `the command ${identify(command).ids[0]}, received at ${receivedAt}, is not on record, and its run has ended: ` +
      'a worker delivers it within 15 s, or run ops heal',
  }));
}

/**
 * Verifies every cart that is in Temporal, the archive, the log or the read model.
 * @param sample verifies only this many carts, chosen at random.
 */
export async function verifyAll(
  source: HistorySource,
  sample: number | undefined,
  onProgress: (soFar: VerifyResult) => void,
): Promise<VerifyResult> {
  let result: VerifyResult = { carts: 0, decisions: 0, events: 0, notInHistories: 0, findings: [] };
  const users = sample === undefined ? allUsers(source) : sampleOf(allUsers(source), sample);
  await forEachAtOnce(users, cartsAtOnce, async (userId) => {
    const { decisions, events, inHistories, findings } = await verifyUser(source, userId);
    result = {
      carts: result.carts + 1,
      decisions: result.decisions + decisions,
      events: result.events + events,
      notInHistories: result.notInHistories + Math.max(0, decisions - inHistories),
      findings: [...result.findings, ...findings],
    };
    onProgress(result);
  });
  return result;
}

async function* allUsers(source: HistorySource): AsyncGenerator<string> {
  const seen = new Set<string>();
  for await (const userId of listAllSources(source)) {
    if (seen.has(userId)) continue;
    seen.add(userId);
    yield userId;
  }
}

async function* listAllSources(source: HistorySource): AsyncGenerator<string> {
  for await (const page of listLoggedCarts(source.db, 1_000)) for (const { userId } of page) yield userId;
  yield* listUsers(source);
  yield* listUsersInReadModel(source.db);
}
