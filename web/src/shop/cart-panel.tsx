import { useState } from 'preact/hooks';
import type { Cart } from '../../../client/src/index.ts';
import { money, plural } from '../format.ts';
import { commands } from '../session.ts';
import { sold, withNote, withoutLines, withQuantity } from './expectations.ts';
import type { useCart } from './use-cart.ts';

type Line = Cart['items'][number];
type Warning = NonNullable<Line['warnings']>[number];

interface CartPanelProps {
  readonly userId: string;
  readonly live: ReturnType<typeof useCart>;
}

/** The cart of who shops. */
export function CartPanel({ userId, live: { cart, isBusy, problem, send } }: CartPanelProps) {
  const [receipt, setReceipt] = useState<string>();
  if (cart === undefined) return <p class="quiet">The cart is being read…</p>;
  const { items, currency, itemCount, version } = cart;
  const clear = () => send(withoutLines, (options) => commands.clearCart(userId, options));
  return (
    <section class="cart" aria-labelledby="cart" aria-busy={isBusy}>
      <h2 id="cart">
        Cart <span class="badge">{plural(itemCount, 'item')}</span>
      </h2>
      <p class="quiet version" data-version={version}>
        {isBusy ? 'on its way…' : `version ${version}`}
      </p>
      {problem === undefined ? null : <p role="alert">{problem}</p>}
      {receipt === undefined ? null : <p role="status">{receipt}</p>}
      {items.length === 0 ? <p>The cart is empty.</p> : null}
      <ul class="lines">
        {items.map((line) => (
          <LineRow key={line.lineId} line={line} currency={currency} userId={userId} send={send} />
        ))}
      </ul>
      <Note userId={userId} note={cart.note} send={send} />
      {items.length === 0 ? null : (
        <>
          <CheckOut userId={userId} cart={cart} send={send} onBought={setReceipt} />
          <button type="button" class="plain" onClick={() => void clear()}>
            Remove all
          </button>
        </>
      )}
    </section>
  );
}

interface LineRowProps {
  readonly line: Line;
  readonly currency: string | null;
  readonly userId: string;
  readonly send: CartPanelProps['live']['send'];
}

function LineRow({ line, currency, userId, send }: LineRowProps) {
  const { lineId, name, quantity, lineTotal, attributes = {}, warnings = [] } = line;
  const change = (wanted: number) =>
    send(withQuantity(lineId, wanted), (options) => commands.changeItemQuantity(userId, lineId, wanted, options));
  const remove = () => send(withQuantity(lineId, 0), (options) => commands.removeItem(userId, lineId, options));
  // Until it is confirmed, the line has no id to name it by.
  const isExpected = lineId.startsWith('expected ');
  return (
    <li class="line">
      <span class="name">
        {name}
        {Object.entries(attributes).map(([attribute, value]) => (
          <small key={attribute}>{`${attribute}: ${value}`}</small>
        ))}
      </span>
      <span class="amount">{money(lineTotal, currency)}</span>
      <span class="stepper">
        <button
          type="button"
          disabled={isExpected}
          onClick={() => void change(quantity - 1)}
          aria-label={`One ${name} less`}
        >
          −
        </button>
        <output aria-label={`Quantity of ${name}`}>{quantity}</output>
        <button
          type="button"
          disabled={isExpected}
          onClick={() => void change(quantity + 1)}
          aria-label={`One ${name} more`}
        >
          +
        </button>
        <button
          type="button"
          class="plain"
          disabled={isExpected}
          onClick={() => void remove()}
          aria-label={`Remove ${name}`}
        >
          Remove
        </button>
      </span>
      {warnings.map((warning) => (
        <p class="warning" key={warning.code}>
          {describeWarning(warning, line, currency)}
        </p>
      ))}
    </li>
  );
}

function describeWarning(warning: Warning, { unitPrice }: Line, currency: string | null): string {
  switch (warning.code) {
    case 'price_changed':
      return `It was ${money(unitPrice, currency)} and is ${money(warning.unitPrice, currency)} now.`;
    case 'currency_changed':
      return `It is sold for ${money(warning.unitPrice, warning.currency)} now. Remove it to go on.`;
    case 'product_unavailable':
      return 'It is not for sale any more. Remove it to go on.';
    case 'quantity_limit_exceeded':
      return `There can be ${warning.maxQuantity} of it at most.`;
  }
}

interface NoteProps {
  readonly userId: string;
  readonly note: string | null;
  readonly send: CartPanelProps['live']['send'];
}

function Note({ userId, note, send }: NoteProps) {
  const [draft, setDraft] = useState<string>();
  const save = () => {
    setDraft(undefined);
    const wanted = draft?.trim() || null;
    if (draft === undefined || wanted === note) return;
    void send(withNote(wanted), (options) => commands.changeNote(userId, wanted, options));
  };
  return (
    <label class="note">
      <span>Note</span>
      <textarea
        rows={2}
        maxLength={500}
        value={draft ?? note ?? ''}
        onInput={(event) => setDraft(event.currentTarget.value)}
        onBlur={save}
      />
    </label>
  );
}

interface CheckOutProps {
  readonly userId: string;
  readonly cart: Cart;
  readonly send: CartPanelProps['live']['send'];
  readonly onBought: (receipt: string) => void;
}

/** Buys at the total that is shown. Where prices have changed, that is the total of today. */
function CheckOut({ userId, cart, send, onBought }: CheckOutProps) {
  const { items, currency } = cart;
  const total = items.reduce((sum, line) => sum + line.quantity * priceOfToday(line), 0);
  const hasChanged = items.some((line) => priceOfToday(line) !== line.unitPrice);
  const buy = () =>
    send(sold, async (options) => {
      const answer = await commands.checkOut(userId, { ...options, expectedTotal: total, acceptChanges: hasChanged });
      onBought(`Bought for ${money(total, currency)}. Thank you.`);
      return answer;
    });
  return (
    <div class="checkout">
      <p class="total">
        Total <strong>{money(total, currency)}</strong>
      </p>
      {hasChanged ? <p class="quiet">At the prices of today.</p> : null}
      <button type="button" class="primary" onClick={() => void buy()}>
        Buy for {money(total, currency)}
      </button>
    </div>
  );
}

function priceOfToday({ unitPrice, warnings = [] }: Line): number {
  const changed = warnings.find((warning) => warning.code === 'price_changed');
  return changed?.code === 'price_changed' ? changed.unitPrice : unitPrice;
}
