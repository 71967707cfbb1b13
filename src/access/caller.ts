/** Who calls, as a verified token says. */
export type Caller = CartUser | Staff;

/** A customer or a guest, who has a cart. */
export interface CartUser {
  readonly kind: 'user';
  readonly userId: string;
}

/** A person or a machine of the shop. */
export interface Staff {
  readonly kind: 'staff';
  readonly subject: string;
  readonly scopes: ReadonlySet<string>;
  /** The one user for whom it acts, where it has the scope `carts:act`. */
  readonly onBehalfOf?: string;
}
