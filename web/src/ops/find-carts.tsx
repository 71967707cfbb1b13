import { useState } from 'preact/hooks';
import type { FoundCart } from '../../../client/src/index.ts';
import { instant, money, plural } from '../format.ts';
import { explain } from '../problems.ts';
import { Link } from '../router.tsx';
import { queries } from '../session.ts';
import { TableHead } from '../table-head.tsx';

const most = 100;

/** Finds carts by user, product, value and age. */
export function FindCarts() {
  const [found, setFound] = useState<readonly FoundCart[]>();
  const [problem, setProblem] = useState<string>();
  const find = async (event: SubmitEvent) => {
    event.preventDefault();
    const fields = new FormData(event.currentTarget as HTMLFormElement);
    const text = (name: string) => String(fields.get(name) ?? '').trim();
    const days = text('days');
    try {
      const carts: FoundCart[] = [];
      const search = {
        ...(text('user') === '' ? {} : { user: text('user') }),
        ...(text('productId') === '' ? {} : { productId: text('productId') }),
        ...(text('minValue') === '' ? {} : { minValue: Math.round(Number(text('minValue')) * 100) }),
        ...(days === '' ? {} : { unchangedSince: new Date(Date.now() - Number(days) * 86_400_000) }),
      };
      for await (const cart of queries.findCarts({ ...search, limit: most })) {
        carts.push(cart);
        if (carts.length === most) break;
      }
      setFound(carts);
      setProblem(undefined);
    } catch (error) {
      setProblem(explain(error));
    }
  };
  return (
    <section aria-labelledby="find">
      <h2 id="find">Find a cart</h2>
      <form class="filters" onSubmit={(event) => void find(event)}>
        <label>
          <span>User begins with</span>
          <input name="user" spellcheck={false} />
        </label>
        <label>
          <span>Has the product</span>
          <input name="productId" spellcheck={false} />
        </label>
        <label>
          <span>Worth at least</span>
          <input name="minValue" type="number" min="0" step="0.01" />
        </label>
        <label>
          <span>Unchanged for days</span>
          <input name="days" type="number" min="0" step="any" />
        </label>
        <button type="submit">Find</button>
      </form>
      {problem === undefined ? null : <p role="alert">{problem}</p>}
      {found === undefined ? null : <FoundTable found={found} />}
    </section>
  );
}

function FoundTable({ found }: { readonly found: readonly FoundCart[] }) {
  if (found.length === 0) return <p>There is no such cart.</p>;
  return (
    <table>
      <caption>{found.length === most ? `The first ${most} carts` : plural(found.length, 'cart')}</caption>
      <TableHead columns={['User', 'Status', 'Items', 'Value', 'Changed']} />
      <tbody>
        {found.map(({ userId, status, itemCount, subtotal, currency, updatedAt }) => (
          <tr key={userId}>
            <th scope="row">
              <Link to={`/time/${encodeURIComponent(userId)}`}>{userId}</Link>
            </th>
            <td>{status}</td>
            <td>{itemCount}</td>
            <td>{money(subtotal, currency)}</td>
            <td>{instant(updatedAt)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
