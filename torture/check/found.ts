import type { Operation, Violation, ViolationKind } from './types';

/** A violation, before it is known of which cart it is. */
export type Found = Omit<Violation, 'cart'>;

/** A violation about a command, and the operations that sent it. */
export const found = (
  kind: ViolationKind,
  commandId: string,
  what: string,
  operations: readonly Operation[] = [],
): Found => ({ kind, commandId, what, operations: operations.map(({ id }) => id) });
