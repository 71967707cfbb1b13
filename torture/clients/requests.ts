import type { CommandAsk, HttpAsk } from '../check/types';
import type { HttpAnswer, HttpRequest } from './http';
import type { Answer } from './recorder';

/** The request that asks for it. Signals do not go over HTTP. */
export function toRequest(cart: string, ask: HttpAsk): HttpRequest {
  const path = `/carts/${cart}`;
  switch (ask.kind) {
    case 'command':
      return { ...commandRequest(path, ask), headers: commandHeaders(ask) };
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
  const { type, productId, quantity, version, expectedTotal, acceptChanges } = ask;
  switch (type) {
    case 'addItem':
      return { method: 'POST', path: `${path}/items`, body: { productId, quantity } };
    case 'changeItemQuantity':
      return { method: 'PUT', path: `${path}/items/${productId}`, body: { quantity } };
    case 'removeItem':
      return { method: 'DELETE', path: `${path}/items/${productId}` };
    case 'clearCart':
      return { method: 'DELETE', path: `${path}/items` };
    case 'checkOut':
      return { method: 'POST', path: `${path}/checkout`, body: { expectedTotal, acceptChanges } };
    case 'restoreCart':
      return { method: 'POST', path: `${path}/restore`, body: { version } };
  }
}

const commandHeaders = ({ key, expectedVersion, waitSeconds }: CommandAsk): Record<string, string> => ({
  ...(key === undefined ? {} : { 'Idempotency-Key': key }),
  ...(expectedVersion === undefined ? {} : { 'If-Match': `"${expectedVersion}"` }),
  ...(waitSeconds === 0 ? {} : { Prefer: `wait=${waitSeconds}` }),
});

/** What an answer says about the operation. */
export function classify(ask: HttpAsk, { status, body }: HttpAnswer): Answer {
  return {
    result:
      ask.kind === 'command' ? commandResult(status, body?.code, body?.commandId) : readResult(status, body?.code),
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
