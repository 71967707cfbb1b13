import type { Cart } from '../../../client/src/index.ts';
import { instant, money, plural } from '../format.ts';
import { TableHead } from '../table-head.tsx';

/** A cart at a moment. */
export function CartTable({ cart }: { readonly cart: Cart }) {
  const { version, status, currency, note, itemCount, subtotal, updatedAt, items } = cart;
  return (
    <div class="moment" data-version={version}>
      <p class="quiet">
        {status} · {plural(itemCount, 'item')} · {instant(updatedAt)}
      </p>
      {items.length === 0 ? (
        <p>There is nothing in it.</p>
      ) : (
        <table>
          <TableHead columns={['Product', 'Quantity', 'Price', 'Total']} />
          <tbody>
            {items.map(({ lineId, name, attributes = {}, quantity, unitPrice, lineTotal }) => (
              <tr key={lineId} data-line={lineId}>
                <th scope="row">
                  {name}
                  {Object.entries(attributes).map(([attribute, value]) => (
                    <small key={attribute}>{`${attribute}: ${value}`}</small>
                  ))}
                </th>
                <td>{quantity}</td>
                <td>{money(unitPrice, currency)}</td>
                <td>{money(lineTotal, currency)}</td>
              </tr>
            ))}
          </tbody>
          <tfoot>
            <tr>
              <th scope="row" colSpan={3}>
                Total
              </th>
              <td>{money(subtotal, currency)}</td>
            </tr>
          </tfoot>
        </table>
      )}
      {note === null ? null : (
        <p class="note-text">
          <span class="quiet">Note </span>
          {note}
        </p>
      )}
    </div>
  );
}
