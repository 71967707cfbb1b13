/** A token, or a function that returns the one to use now. The client calls it before each attempt. */
export type Token = string | (() => string | undefined | Promise<string | undefined>);

export interface TokenOptions {
  /** The token of a customer, or of staff: sent as `Authorization: Bearer`. */
  readonly token?: Token;
  /** The token of a guest: sent as `Cart-Token`. */
  readonly cartToken?: Token;
  /** Receives each new token of the guest, to store it. It replaces the one before. */
  readonly onCartToken?: (cartToken: string) => void;
}

/** The tokens that a client sends. */
export interface Tokens {
  /** Returns the headers with which to send a request, and a function that takes a new token from its answer. */
  prepare(): Promise<{ readonly headers: Record<string, string>; renew(response: Response): void }>;
  /** Uses the token of a new guest from now on. */
  useGuest(cartToken: string): Promise<void>;
}

export function createTokens({ token, cartToken, onCartToken }: TokenOptions): Tokens {
  // While the option still gives the token that was replaced, the newest one is sent in its place.
  let replaced: { readonly given: string | undefined; readonly newest: string } | undefined;
  const replace = (given: string | undefined, newest: string) => {
    replaced = { given, newest };
    onCartToken?.(newest);
  };
  return {
    async prepare() {
      const [bearer, given] = await Promise.all([read(token), read(cartToken)]);
      const guest = replaced !== undefined && replaced.given === given ? replaced.newest : given;
      return {
        headers: {
          ...(bearer === undefined ? {} : { Authorization: `Bearer ${bearer}` }),
          ...(guest === undefined ? {} : { 'Cart-Token': guest }),
        },
        renew(response) {
          const renewed = response.headers.get('Cart-Token');
          if (renewed !== null) replace(given, renewed);
        },
      };
    },
    async useGuest(newest) {
      replace(await read(cartToken), newest);
    },
  };
}

const read = async (token: Token | undefined): Promise<string | undefined> =>
  typeof token === 'function' ? token() : token;
