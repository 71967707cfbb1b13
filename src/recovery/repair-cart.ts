import type { KeyObject } from 'node:crypto';
import { signRepair } from '../heads/sign-repair';
import { readChainedLog, readSalt } from '../postgres/log/read-logs';
import type { RepairNote } from '../postgres/log/repairs';
import { checkChain } from '../postgres/log/verify-chain';
import { repairLog } from '../postgres/projection/repair-log';
import { ensureSalts } from '../postgres/projection/salts';
import type { HistorySource } from '../temporal/histories/histories';
import { readDecisions, readHistoryRecord } from '../temporal/histories/read-decisions';
import { type KnownCart, planRepair, type RepairPlan } from './repair';

/**
 * Makes the record of a cart again what the histories have, keeps the rows of before, and leaves a signed note.
 * @param isAccepted whether to go on without what no history has: a decision that was changed stays as it is, and one
 * that is missing is lost. The cart then continues from the decisions before it.
 * @returns the note; undefined where nothing was to be repaired.
 * @throws UnrepairableError where no history has what is missing or was changed, and that is not accepted.
 */
export async function repairCart(
  source: HistorySource,
  userId: string,
  privateKey: KeyObject,
  isAccepted: boolean,
): Promise<RepairNote | undefined> {
  const known = await readKnownCart(source, userId);
  const plan = planOrAccept(known, isAccepted);
  if (plan === undefined) return undefined;
  const { decisions, ...planned } = plan;
  const note = { repairedAt: new Date().toISOString(), ...planned, isAccepted };
  await ensureSalts(source.db, [userId]);
  const user = { userId, salt: (await readSalt(source.db, userId))! };
  await repairLog(source.db, userId, note, decisions, (signed, oldRows) =>
    signRepair(privateKey, user, signed, oldRows),
  );
  return note;
}

/** An accepted gap ends the record before it: the cart's run decides again what it has, on top of that. */
function planOrAccept(
  known: KnownCart,
  isAccepted: boolean,
): (RepairPlan & { readonly acceptedGap?: number }) | undefined {
  if (!isAccepted) return planRepair(known, false);
  const all = [...known.recorded, ...known.inHistories].map(({ sequence }) => sequence);
  const present = new Set(all);
  let gap = 1;
  while (present.has(gap)) gap += 1;
  const isUpToGap = ({ sequence }: { readonly sequence: number }) => sequence < gap;
  const upToGap = {
    ...known,
    recorded: known.recorded.filter(isUpToGap),
    inHistories: known.inHistories.filter(isUpToGap),
  };
  const plan = planRepair(upToGap, true);
  if (Math.max(0, ...all) < gap) return plan;
  const lost = `decision ${gap} is lost, and those after it`;
  return plan === undefined
    ? { first: gap, reasons: [lost], decisions: [], acceptedGap: gap }
    : { ...plan, reasons: [...plan.reasons, lost], acceptedGap: gap };
}

async function readKnownCart(source: HistorySource, userId: string): Promise<KnownCart> {
  const { db } = source;
  const { log, salt, decisions } = await readChainedLog(db, userId);
  const { runIds } = await readHistoryRecord(source, userId);
  const sequenceOf = new Map(log.events.map(({ event, sequence }) => [event.version, sequence]));
  const broken = checkChain(log, salt, decisions);
  return {
    recorded: decisions.map(({ decision }) => decision),
    inHistories: await readDecisions(source, userId),
    runIds,
    brokenAt: new Set(broken.map(({ sequence, version }) => sequence ?? sequenceOf.get(version ?? 0) ?? 1)),
  };
}
