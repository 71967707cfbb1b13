import { randomInt, randomUUID } from 'node:crypto';
import { type Client, WithStartWorkflowOperation } from '@temporalio/client';
import type { Knex } from 'knex';
import { createCommandSender } from '../src/commands/send-command';
import { cartWorkflowId } from '../src/contract/ids';
import { createNewUserCheck } from '../src/postgres/log/checkpoint';
import { openClient } from '../src/temporal/connection';
import type { LineCommand } from './alternatives/tutorial';
import { ask, type Http } from './http';

/** A design that takes commands. */
export interface Contestant {
  /** Sends a command to a user's cart. Resolves once it is stored; `update` and `emmett` once it is projected. */
  send(userId: string): Promise<unknown>;
  workflowId(userId: string): string;
  /** The number of projected commands of carts whose user ids have this prefix; infinite where none are projected. */
  projected(prefix: string): Promise<number>;
}

export type Design = 'floor' | 'cart' | 'http' | 'tutorial' | 'update' | 'emmett';

/** The products that carts hold. */
export const products = Array.from({ length: 10 }, (_, n) => ({
  productId: `product-${n}`,
  name: `Product ${n}`,
  unitPrice: 100 + n,
  currency: 'EUR',
  available: true,
}));

/** A command as storefronts send them: two in three add one item, the others set a quantity. */
function randomLine(): LineCommand {
  const { productId } = products[randomInt(products.length)]!;
  const isAbsolute = randomInt(3) === 0;
  return { productId, isAbsolute, quantity: isAbsolute ? 1 + randomInt(5) : 1 };
}

/** All designs, on the same Temporal server and the same Postgres. */
export function openContestants(
  address: string,
  db: Knex,
  http: { readonly commands: Http; readonly emmett: Http },
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
  const signal = (design: 'floor' | 'tutorial') => (userId: string) =>
    client.workflow.signalWithStart(`${design}Workflow`, {
      workflowId: `${design}:${userId}`,
      taskQueue: design,
      args: [`${design}:${userId}`],
      signal: 'command',
      signalArgs: [randomLine()],
    });
  const designs: Record<Design, Contestant> = {
    floor: { ...ofSimple('floor'), send: signal('floor'), projected: async () => Number.POSITIVE_INFINITY },
    cart: {
      ...ofCarts,
      send(userId) {
        const { productId, quantity, isAbsolute } = randomLine();
        const { available: _, ...product } = products.find((one) => one.productId === productId)!;
        const envelope = { commandId: randomUUID(), issuedAt: new Date().toISOString(), actor: `user:${userId}` };
        if (isAbsolute) return sendCommand(userId, { type: 'changeItemQuantity', ...envelope, productId, quantity });
        return sendCommand(userId, { type: 'addItem', ...envelope, ...product, quantity });
      },
    },
    http: { ...ofCarts, send: (userId) => sendOverHttp(http.commands, userId) },
    tutorial: { ...ofSimple('tutorial'), send: signal('tutorial') },
    update: {
      ...ofSimple('update'),
      send: (userId) =>
        client.workflow.executeUpdateWithStart('command', {
          startWorkflowOperation: new WithStartWorkflowOperation('updateWorkflow', {
            workflowId: `update:${userId}`,
            workflowIdConflictPolicy: 'USE_EXISTING',
            taskQueue: 'update',
            args: [`update:${userId}`],
          }),
          args: [randomLine()],
        }),
    },
    emmett: {
      workflowId: (userId) => userId,
      projected: async () => Number.POSITIVE_INFINITY,
      send: (userId) => ask(http.emmett, 'POST', `/carts/${userId}/items`, randomLine()),
    },
  };
  return { client, designs };
}

/** Sends a random command through the command API. @param headers for example `Prefer: wait=10`. */
export function sendOverHttp(http: Http, userId: string, headers?: Record<string, string>): Promise<unknown> {
  const { productId, quantity, isAbsolute } = randomLine();
  if (isAbsolute) return ask(http, 'PUT', `/carts/${userId}/items/${productId}`, { quantity }, headers);
  return ask(http, 'POST', `/carts/${userId}/items`, { productId, quantity }, headers);
}
