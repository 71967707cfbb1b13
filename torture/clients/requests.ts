import { lineIdOf } from '../check/fold';
import { isSending } from '../check/single-commands';
import type { BatchAsk, CommandAsk, CommandFields, HttpAsk, Sending } from '../check/types';
import type { HttpAnswer, HttpRequest } from './http';
import type { Answer } from './recorder';

/** The request that asks for it. Signals do not go over HTTP. */
export function toRequest(cart: string, ask: HttpAsk): HttpRequest {
  const path = `/carts/${cart}`;
  switch (ask.kind) {
    case 'command':
      return { ...commandRequest(path, ask), headers: commandHeaders(ask) };
    case 'batch':
      return { method: 'POST', path: `${path}/commands`, body: batchBody(ask), headers: commandHeaders(ask) };
    case 'merge': {
      const { from, strategy } = ask;
      return { method: 'POST', path: `${path}/merge`, body: { from, strategy }, headers: commandHeaders(ask) };
    }
    case 'readCart':
      return get(ask.minVersion === undefined ? path : `${path}?minVersion=${ask.minVersion}`);
    case 'readVersion':
      return get(`${path}?version=${ask.version}`);
    case 'readInstant':
      return get(`${path}?at=${encodeURIComponent(ask.at)}`);
    case 'readEvents':
      return get(`${path}/events?after=${ask.after}&limit=50`);
    case 'readOutcome':
      return get(`${path}/commands/${encodeURIComponent(ask.commandId)}`);
  }
}

const get = (path: string): HttpRequest => ({ method: 'GET', path });

function commandRequest(path: string, ask: CommandAsk): HttpRequest {
  const { type, productId, attributes, quantity, note, version, expectedTotal, acceptChanges } = ask;
  switch (type) {
    case 'addItem':
      return { method: 'POST', path: `${path}/items`, body: { productId, quantity, attributes } };
    case 'changeItemQuantity':
      return { method: 'PUT', path: `${path}/items/${lineIdOf(ask)}`, body: { quantity } };
    case 'removeItem':
      return { method: 'DELETE', path: `${path}/items/${lineIdOf(ask)}` };
    case 'clearCart':
      return { method: 'DELETE', path: `${path}/items` };
    case 'changeNote':
      return { method: 'PUT', path: `${path}/note`, body: { note } };
    case 'checkOut':
      return { method: 'POST', path: `${path}/checkout`, body: { expectedTotal, acceptChanges } };
    case 'restoreCart':
      return { method: 'POST', path: `${path}/restore`, body: { version } };
    case 'handOverCart':
    case 'mergeCart':
      throw new Error(`${type} is a part of a merge`);
  }
}

const batchBody = ({ commands, atomic }: BatchAsk) => ({ commands: commands.map(commandInBatch), atomic });

/** A line is named by its id, also where that is the id of the product. */
const commandInBatch = ({ productId, lineId, ...fields }: CommandFields) =>
  fields.type === 'addItem'
    ? { ...fields, productId }
    : { ...fields, ...(productId === undefined ? {} : { lineId: lineIdOf({ productId, lineId }) }) };

const commandHeaders = (ask: Sending): Record<string, string> => ({
  ...(ask.key === undefined ? {} : { 'Idempotency-Key': ask.key }),
  ...('expectedVersion' in ask ? { 'If-Match': `"${ask.expectedVersion}"` } : {}),
  ...(ask.waitSeconds === 0 ? {} : { Prefer: `wait=${ask.waitSeconds}` }),
});

/** What an answer says about the operation. */
export function classify(ask: HttpAsk, { status, body }: HttpAnswer): Answer {
  return {
    result: isSending(ask) ? commandResult(status, body?.code, body?.commandId) : readResult(status, body?.code),
    status,
    body,
  };
}

/** The rules' rejections are outcomes: these commands are on record. */
const rejections = new Set([
  'version_mismatch',
  'item_not_in_cart',
  'cart_empty',
  'version_unknown',
  'quantity_limit_exceeded',
  'line_limit_exceeded',
  'currency_mismatch',
  'product_unavailable',
  'price_changed',
  'total_mismatch',
  'try_again',
  'cart_handed_over',
  'malformed_command',
  'superseded',
]);

/** These promise that nothing was changed. */
const withoutEffect = new Set(['database_unavailable', 'catalogue_unavailable']);

function commandResult(status: number, code: string | undefined, commandId: string | undefined): Answer['result'] {
  if (status === 200 || status === 202) return 'ok';
  if (status === 404) return 'fail';
  if (commandId !== undefined && rejections.has(code ?? '')) return 'ok';
  if (status < 500 || withoutEffect.has(code ?? '')) return 'fail';
  return 'unknown';
}

function readResult(status: number, code: string | undefined): Answer['result'] {
  if (status === 200) return 'ok';
  return status === 404 && (code === 'version_unknown' || code === 'command_unknown') ? 'ok' : 'fail';
}
