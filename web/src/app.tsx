import { OperationsPage } from './ops/operations-page.tsx';
import { Link, usePath } from './router.tsx';
import { isReachable, session } from './session.ts';
import { Shop } from './shop/shop.tsx';
import { Account } from './sign-in.tsx';
import { useStore } from './store.ts';
import { TimeMachine } from './time/time-machine.tsx';

export function App() {
  const [page, userId] = usePath();
  const { userId: own, isStaff } = useStore(session);
  return (
    <>
      <header class="bar">
        <nav aria-label="Pages">
          <Link to="/">Cart</Link>
          <Link to="/shop" isCurrent={page === 'shop'}>
            Shop
          </Link>
          <Link to={own === undefined ? '/time' : `/time/${encodeURIComponent(own)}`} isCurrent={page === 'time'}>
            Time machine
          </Link>
          {isStaff || page === 'ops' ? (
            <Link to="/ops" isCurrent={page === 'ops'}>
              Operations
            </Link>
          ) : null}
        </nav>
        <Account />
      </header>
      <Connection />
      <main>
        {page === 'shop' ? <Shop /> : null}
        {page === 'time' ? <TimeMachine userId={userId} /> : null}
        {page === 'ops' ? <OperationsPage /> : null}
        {page === undefined ? <Welcome /> : null}
      </main>
    </>
  );
}

/** Says so while the API cannot be reached. What was sent is sent again, and counts once. */
function Connection() {
  const isThere = useStore(isReachable);
  return (
    <div role="status" class="connection">
      {isThere ? '' : 'The connection is lost. What you did is kept, and sent as soon as it is back.'}
    </div>
  );
}

function Welcome() {
  return (
    <section class="narrow">
      <h1>A cart that remembers</h1>
      <p>Each change of a cart is an event in a log that nobody can change. The cart is what its events make.</p>
      <ul class="doors">
        <li>
          <Link to="/shop">Shop</Link>
          <p>Fill a cart. Open a second tab: it follows.</p>
        </li>
        <li>
          <Link to="/time">Time machine</Link>
          <p>See the cart at each version and instant, compare two moments, and restore one.</p>
        </li>
        <li>
          <a href="/docs">The API</a>
          <p>Everything that these pages do, and more.</p>
        </li>
      </ul>
    </section>
  );
}
