import { useState } from 'preact/hooks';
import { queries } from '../session.ts';
import { useRead } from '../use-read.ts';

interface ChainBadgeProps {
  readonly userId: string;
  /** The chain is checked again when the cart has another version. */
  readonly newest: number;
}

/** Whether the hash chain over the decisions is intact, and its head. */
export function ChainBadge({ userId, newest }: ChainBadgeProps) {
  const { value: chain, problem } = useRead(
    async (signal) => {
      // Not for each of many events that come together.
      await new Promise((resolve) => setTimeout(resolve, settledMs));
      signal.throwIfAborted();
      return queries.readChain(userId, { signal });
    },
    [userId, newest],
  );
  if (problem !== undefined) return <p role="alert">The hash chain could not be checked: {problem}</p>;
  if (chain === undefined) return <p class="chain quiet">The hash chain is being checked…</p>;
  const { decisions, isIntact, head, problems } = chain;
  if (!isIntact) {
    return (
      <div class="chain broken" role="alert">
        <p>The hash chain is broken.</p>
        <ul>
          {problems.map(({ sequence, what }) => (
            <li key={`${sequence} ${what}`}>{sequence === undefined ? what : `Decision ${sequence}: ${what}`}</li>
          ))}
        </ul>
      </div>
    );
  }
  return (
    <p class="chain intact">
      <span>Hash chain intact over {decisions} decisions</span>
      {head === null ? null : <Copy text={head} />}
    </p>
  );
}

const settledMs = 300;

function Copy({ text }: { readonly text: string }) {
  const [isCopied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
  };
  return (
    <>
      <code title={text}>{text.slice(0, 12)}…</code>
      <button type="button" class="plain" onClick={() => void copy().catch(() => undefined)}>
        {isCopied ? 'Copied' : 'Copy head'}
      </button>
    </>
  );
}
