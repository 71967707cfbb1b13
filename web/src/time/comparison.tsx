import type { Cart, Difference, PointInTime } from '../../../client/src/index.ts';
import { instant, money } from '../format.ts';
import { queries } from '../session.ts';
import { TableHead } from '../table-head.tsx';
import { useRead } from '../use-read.ts';
import { CartTable } from './cart-table.tsx';
import { usePastCart } from './use-past-cart.ts';

interface ComparisonProps {
  readonly userId: string;
  readonly from: PointInTime;
  readonly to: PointInTime;
  /** The cart at `to`. */
  readonly cart: Cart | undefined;
  readonly onUnpin: () => void;
}

const nameOf = (point: PointInTime): string =>
  typeof point === 'number' ? `version ${point}` : instant(String(point));

/** The carts at two moments side by side, and how the second differs from the first. */
export function Comparison({ userId, from, to, cart, onUnpin }: ComparisonProps) {
  const before = usePastCart(userId, from).value;
  const { value: difference, problem } = useRead(
    (signal) => queries.compareCarts(userId, from, to, { signal }),
    [userId, from, to],
  );
  return (
    <section class="comparison" aria-labelledby="comparison">
      <h2 id="comparison">
        From {nameOf(from)} to {nameOf(to)}
      </h2>
      <button type="button" class="plain" onClick={onUnpin}>
        Unpin
      </button>
      {problem === undefined ? null : <p role="alert">{problem}</p>}
      <div class="halves">
        <OneOfTwo point={from} cart={before} />
        <OneOfTwo point={to} cart={cart} />
      </div>
      {difference === undefined ? null : <DifferenceTable difference={difference} />}
    </section>
  );
}

interface OneOfTwoProps {
  readonly point: PointInTime;
  readonly cart: Cart | undefined;
}

const OneOfTwo = ({ point, cart }: OneOfTwoProps) => (
  <div>
    <h3>{nameOf(point)}</h3>
    {cart === undefined ? null : <CartTable cart={cart} />}
  </div>
);

type Side = Difference['items'][number]['before'];

function DifferenceTable({ difference }: { readonly difference: Difference }) {
  const { items, subtotal, note, from, to } = difference;
  const isSame = items.length === 0 && note.before === note.after;
  if (isSame) return <p>There is no difference.</p>;
  return (
    <>
      <table>
        <TableHead columns={['Product', 'Before', 'After']} />
        <tbody>
          {items.map(({ lineId, name, change, before, after }) => (
            <tr key={lineId} class={change}>
              <th scope="row">
                {name} <small>{change}</small>
              </th>
              <td>{sideOf(before, from.currency)}</td>
              <td>{sideOf(after, to.currency)}</td>
            </tr>
          ))}
        </tbody>
        <tfoot>
          <tr>
            <th scope="row">Total</th>
            <td>{money(subtotal.before, from.currency)}</td>
            <td>{money(subtotal.after, to.currency)}</td>
          </tr>
        </tfoot>
      </table>
      {note.before === note.after ? null : (
        <p class="note-text">
          <span class="quiet">Note </span>
          {note.before ?? 'none'}
          <span class="quiet"> became </span>
          {note.after ?? 'none'}
        </p>
      )}
    </>
  );
}

const sideOf = (side: Side, currency: string | null): string =>
  side === null ? '–' : `${side.quantity} × ${money(side.unitPrice, currency)}`;
