import { type CartClient, createCartClient, type Token } from '../../client/src/index.ts';
import { settings } from './settings.ts';
import { createStore } from './store.ts';

/** Who uses the page. It is in the memory of the open tabs alone: who closes them all is signed out. */
export interface Session {
  /** The user whose cart the storefront shows; absent for staff. */
  readonly userId?: string | undefined;
  /** The guest that this tab began with, until the guest's cart is merged. */
  readonly guestId?: string | undefined;
  /** The token of a customer or of staff. */
  readonly token?: string | undefined;
  /** The token of a guest: beside the other one until the guest's cart is merged. */
  readonly cartToken?: string | undefined;
  readonly isStaff: boolean;
}

const nobody: Session = { isStaff: false };

export const session = createStore<Session>(nobody);

/** Whether the last request got an answer. */
export const isReachable = createStore(true);

/** Tells other tabs of this origin who is signed in. They ask when they begin. */
const tabs = new BroadcastChannel('cart-session');
const answerWithinMs = 200;

tabs.onmessage = ({ data }: MessageEvent<'who' | Session>) => {
  if (data !== 'who') session.set(data);
  else if (session.get().userId !== undefined || session.get().isStaff) tellTabs();
};

/** The tab in which a guest signed in merges the guest's cart. */
function tellTabs(): void {
  const { userId, guestId, token, cartToken, isStaff } = session.get();
  tabs.postMessage(userId === guestId ? { userId, guestId, cartToken, isStaff } : { userId, token, isStaff });
}

function change(next: Session): void {
  session.set(next);
  tellTabs();
}

/** Resolves once another tab has said who is signed in, or none has answered. */
export const joined: Promise<void> = new Promise((resolve) => {
  const stop = session.listen(() => finish());
  const timer = setTimeout(() => finish(), answerWithinMs);
  const finish = () => {
    stop();
    clearTimeout(timer);
    resolve();
  };
  tabs.postMessage('who');
});

/** Watches every request, so that the page can say that the API is away. */
async function watchedFetch(request: Request): Promise<Response> {
  try {
    const response = await fetch(request);
    isReachable.set(![502, 503, 504].includes(response.status));
    return response;
  } catch (error) {
    if (!request.signal.aborted) isReachable.set(false);
    throw error;
  }
}

const tokenOf =
  (name: 'token' | 'cartToken'): Token =>
  () =>
    session.get()[name];

const connect = (baseUrl: string): CartClient =>
  createCartClient({
    baseUrl,
    fetch: watchedFetch,
    token: tokenOf('token'),
    cartToken: tokenOf('cartToken'),
    onCartToken: (cartToken) => change({ ...session.get(), cartToken }),
  });

/** The query side. */
export const queries = connect(location.origin);
/** The command side. */
export const commands = settings.commands === undefined ? queries : connect(settings.commands);

/** Makes a guest, unless another tab has one, or a user. */
export async function beGuest(): Promise<void> {
  await joined;
  if (session.get().userId !== undefined || session.get().isStaff) return;
  const { userId, cartToken } = await commands.createGuest();
  change({ userId, cartToken, guestId: userId, isStaff: false });
}

/** Signs in with a token; where nobody is asked for one, with the id of a user. */
export function signIn(text: string): void {
  const { cartToken, guestId } = session.get();
  const guest = { cartToken, guestId };
  if (settings.isOpen) {
    change({ userId: text, isStaff: true, ...guest });
    return;
  }
  const claims = readClaims(text);
  const isStaff = settings.staffAudience !== undefined && [claims.aud].flat().includes(settings.staffAudience);
  change({ token: text, userId: isStaff ? undefined : claims.sub, isStaff, ...guest });
}

export const signOut = (): void => change(nobody);

/** Forgets the guest whose cart has been merged. */
export function forgetGuest(): void {
  const { cartToken: _cartToken, guestId: _guestId, ...rest } = session.get();
  session.set(rest);
}

/** What a token says of its holder. Only the API checks it. @throws Error where it is no token. */
function readClaims(token: string): { readonly sub?: string; readonly aud?: unknown } {
  const [, payload] = token.split('.');
  try {
    const bytes = Uint8Array.from(atob(payload!.replace(/-/g, '+').replace(/_/g, '/')), (char) => char.charCodeAt(0));
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw new Error('This is not a token. Paste what `npm run --silent token -- --user <you>` prints.');
  }
}
