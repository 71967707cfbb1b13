import { useEffect, useState } from 'preact/hooks';
import type { Cart, MergeAnswer } from '../../../client/src/index.ts';
import { plural } from '../format.ts';
import { explain } from '../problems.ts';
import { commands, forgetGuest, queries, session } from '../session.ts';
import { useStore } from '../store.ts';

type Merged = Extract<MergeAnswer, { readonly status: 'applied' }>;

interface MergePanelProps {
  readonly userId: string;
  readonly onMerged: (cart: Cart) => void;
}

/** After a guest has signed in: what the guest chose comes into the cart of the user. */
export function MergePanel({ userId, onMerged }: MergePanelProps) {
  const { guestId } = useStore(session);
  const [merged, setMerged] = useState<Merged>();
  const [problem, setProblem] = useState<string>();
  useEffect(() => {
    if (guestId === undefined || guestId === userId) return;
    const merge = async () => {
      const answer = await commands.mergeCart(userId, { from: guestId }, { waitSeconds: 20 });
      forgetGuest();
      if (answer.status === 'applied') {
        setMerged(answer);
        onMerged(answer.cart);
      } else onMerged(await afterMerge(userId, answer.commandId));
    };
    merge().catch((error) => setProblem(explain(error)));
  }, [guestId, userId, onMerged]);
  if (problem !== undefined) return <p role="alert">What you chose as a guest is not in this cart: {problem}</p>;
  if (merged === undefined) return null;
  return (
    <div role="status" class="merged">
      <p>What you chose before you signed in is in your cart.</p>
      {merged.leftOut.length === 0 ? null : (
        <ul>
          {merged.leftOut.map(({ lineId, productId, name, quantity }) => (
            <li key={lineId ?? productId}>
              {plural(quantity, 'piece')} of {name} did not fit.
            </li>
          ))}
        </ul>
      )}
      {merged.leftOutNote === undefined ? null : <p>Your note stayed. As a guest you wrote: {merged.leftOutNote}</p>}
    </div>
  );
}

async function afterMerge(userId: string, commandId: string): Promise<Cart> {
  const { versions } = await queries.waitFor(userId, commandId);
  return queries.readCart(userId, { minVersion: Math.max(0, ...versions) });
}
