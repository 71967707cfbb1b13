import { useEffect, useState } from 'preact/hooks';
import type { Product } from '../../../client/src/index.ts';
import { money } from '../format.ts';
import { explain } from '../problems.ts';
import { Link } from '../router.tsx';
import { beGuest, commands, queries, session } from '../session.ts';
import { SignIn } from '../sign-in.tsx';
import { useStore } from '../store.ts';
import { useRead } from '../use-read.ts';
import { CartPanel } from './cart-panel.tsx';
import { withProduct } from './expectations.ts';
import { MergePanel } from './merge-panel.tsx';
import { type Send, useCart } from './use-cart.ts';

/** The storefront: what is sold, and the cart of who shops. */
export function Shop() {
  const { userId, isStaff } = useStore(session);
  const [problem, setProblem] = useState<string>();
  useEffect(() => {
    if (userId === undefined && !isStaff) void beGuest().catch((error) => setProblem(explain(error)));
  }, [userId, isStaff]);

  if (userId !== undefined) return <ShopOf userId={userId} key={userId} />;
  if (problem === undefined && !isStaff) return <p class="quiet">One moment…</p>;
  return (
    <section class="narrow">
      <h1>Shop</h1>
      <p>{isStaff ? 'Staff has no cart of its own. Sign in as a customer to shop.' : problem}</p>
      <SignIn />
    </section>
  );
}

function ShopOf({ userId }: { readonly userId: string }) {
  const live = useCart(userId);
  return (
    <div class="shop">
      <Products userId={userId} send={live.send} />
      <div class="side">
        <MergePanel userId={userId} onMerged={live.take} />
        <CartPanel userId={userId} live={live} />
      </div>
    </div>
  );
}

function Products({ userId, send }: { readonly userId: string; readonly send: Send }) {
  const { value: products = [], problem } = useRead(readProducts, []);
  return (
    <section aria-labelledby="products">
      <h1 id="products">Shop</h1>
      <p class="quiet">
        Whatever you do here is an event in the log of <Link to={`/time/${userId}`}>your cart</Link>.
      </p>
      {problem === undefined ? null : <p role="alert">{problem}</p>}
      <ul class="products">
        {products.map((product) => (
          <ProductCard key={product.productId} product={product} userId={userId} send={send} />
        ))}
      </ul>
    </section>
  );
}

/** More than anybody looks through. */
const most = 200;

async function readProducts(signal: AbortSignal): Promise<readonly Product[]> {
  const found: Product[] = [];
  for await (const product of queries.listProducts({ signal, timeoutMs: Number.POSITIVE_INFINITY })) {
    found.push(product);
    if (found.length === most) break;
  }
  return found;
}

interface CardProps {
  readonly product: Product;
  readonly userId: string;
  readonly send: Send;
}

function ProductCard({ product, userId, send }: CardProps) {
  const { productId, name, unitPrice, currency, available } = product;
  const add = () =>
    send(withProduct(product), (options) => commands.addItem(userId, { productId, quantity: 1 }, options));
  return (
    <li class="card">
      <h2>{name}</h2>
      <p class="price">{money(unitPrice, currency)}</p>
      <button
        type="button"
        disabled={!available}
        onClick={() => void add()}
        aria-label={available ? `Add ${name}` : `Not for sale: ${name}`}
      >
        {available ? 'Add' : 'Not for sale'}
      </button>
    </li>
  );
}
