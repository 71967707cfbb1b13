import { randomUUID } from 'node:crypto';
import { type Client, WithStartWorkflowOperation } from '@temporalio/client';
import type { Knex } from 'knex';
import { createCommandSender } from '../src/commands/send-command';
import { cartWorkflowId } from '../src/contract/ids';
import { createNewUserCheck } from '../src/postgres/log/checkpoint';
import { openClient } from '../src/temporal/connection';
import { ask, type Http } from './http';
import { randomLine, toCommand } from './lines';

/** A design that takes commands. */
export interface Contestant {
  /** Sends a command to a user's cart. Resolves once it is stored; some designs answer only once it is projected. */
  send(userId: string): Promise<unknown>;
  /** As `send`, but resolves once the command is projected; of the floor, once its workflow task is done. */
  sendAndWait(userId: string): Promise<unknown>;
  workflowId(userId: string): string;
  /** The number of projected commands of carts whose user ids have this prefix; infinite where none are projected. */
  projected(prefix: string): Promise<number>;
}

export type Design = 'floor' | 'cart' | 'http' | 'tutorial' | 'update' | 'emmett' | 'restate' | 'dbos' | 'plain';

/** All designs, on the same Temporal server and the same Postgres. */
export function openContestants(
  address: string,
  db: Knex,
  http: Readonly<Record<'commands' | 'emmett' | 'restate' | 'dbos' | 'plain', Http>>,
  untilHandled: (commandId: string) => Promise<void>,
): { client: Client; designs: Record<Design, Contestant> } {
  const { client } = openClient({ connection: { address }, namespace: 'default' });
  const sendCommand = createCommandSender(client, 'carts', createNewUserCheck(db));
  const sum = async (what: string, table: string, prefix: string) => {
    const { rows } = await db.raw(`select sum(${what}) as sum from ${table} where user_id like ?`, [`${prefix}%`]);
    return Number(rows[0].sum ?? 0);
  };
  const ofCarts = {
    workflowId: cartWorkflowId,
    projected: (prefix: string) => sum('sequence', 'carts', prefix),
  };
  const ofSimple = (design: string) => ({
    workflowId: (userId: string) => `${design}:${userId}`,
    projected: (prefix: string) => sum('commands', 'simple_carts', `${design}:${prefix}`),
  });
  const signal = (design: 'floor' | 'tutorial', userId: string, commandId?: string) =>
    client.workflow.signalWithStart(`${design}Workflow`, {
      workflowId: `${design}:${userId}`,
      taskQueue: design,
      args: [`${design}:${userId}`],
      signal: 'command',
      signalArgs: [{ ...randomLine(), ...(commandId === undefined ? {} : { commandId }) }],
    });
  const update = (userId: string) =>
    client.workflow.executeUpdateWithStart('command', {
      startWorkflowOperation: new WithStartWorkflowOperation('updateWorkflow', {
        workflowId: `update:${userId}`,
        workflowIdConflictPolicy: 'USE_EXISTING',
        taskQueue: 'update',
        args: [`update:${userId}`],
      }),
      args: [randomLine()],
    });
  const cart = (userId: string) => sendCommand(userId, toCommand(userId, randomLine()));
  const cartOverHttp = (userId: string) => sendOverHttp(http.commands, userId, waited);
  const post = (kind: 'emmett' | 'dbos' | 'plain', headers?: Record<string, string>) => (userId: string) =>
    ask(http[kind], 'POST', `/carts/${userId}/items`, randomLine(), headers);
  const restate = (path: string) => (userId: string) =>
    ask(http.restate, 'POST', `/cart/${userId}/command${path}`, randomLine());
  const ofRows = { workflowId: same, projected: (prefix: string) => sum('sequence', 'alternative_carts', prefix) };
  const answersOnceProjected = (send: (userId: string) => Promise<unknown>) => ({
    ...{ send, sendAndWait: send, workflowId: same },
    projected: async () => Number.POSITIVE_INFINITY,
  });
  const designs: Record<Design, Contestant> = {
    floor: {
      ...ofSimple('floor'),
      send: (userId) => signal('floor', userId),
      async sendAndWait(userId) {
        const commandId = randomUUID();
        await Promise.all([untilHandled(commandId), signal('floor', userId, commandId)]);
      },
      projected: async () => Number.POSITIVE_INFINITY,
    },
    cart: { ...ofCarts, send: cart, sendAndWait: cartOverHttp },
    http: { ...ofCarts, send: (userId) => sendOverHttp(http.commands, userId), sendAndWait: cartOverHttp },
    tutorial: { ...ofSimple('tutorial'), send: (userId) => signal('tutorial', userId), sendAndWait: notMeasured },
    update: { ...ofSimple('update'), send: update, sendAndWait: update },
    emmett: answersOnceProjected(post('emmett')),
    plain: answersOnceProjected(post('plain')),
    restate: { ...ofRows, send: restate('/send'), sendAndWait: restate('') },
    dbos: { ...ofRows, send: post('dbos'), sendAndWait: post('dbos', waited) },
  };
  return { client, designs };
}

const waited = { Prefer: 'wait=10' };
const same = (userId: string) => userId;
const notMeasured = () => Promise.reject(new Error('The tutorial design does not answer when it has projected.'));

/** Sends a random command through the command API. @param headers for example `Prefer: wait=10`. */
export function sendOverHttp(http: Http, userId: string, headers?: Record<string, string>): Promise<unknown> {
  const { productId, quantity, isAbsolute } = randomLine();
  if (isAbsolute) return ask(http, 'PUT', `/carts/${userId}/items/${productId}`, { quantity }, headers);
  return ask(http, 'POST', `/carts/${userId}/items`, { productId, quantity }, headers);
}
