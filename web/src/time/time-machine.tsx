import { useEffect, useMemo, useState } from 'preact/hooks';
import type { PointInTime, TimelineEntry } from '../../../client/src/index.ts';
import { instant, plural } from '../format.ts';
import { explain } from '../problems.ts';
import { goTo } from '../router.tsx';
import { commands, session } from '../session.ts';
import { SignIn } from '../sign-in.tsx';
import { useStore } from '../store.ts';
import { CartTable } from './cart-table.tsx';
import { ChainBadge } from './chain-badge.tsx';
import { Comparison } from './comparison.tsx';
import { Entries } from './entries.tsx';
import { usePastCart } from './use-past-cart.ts';
import { useTimeline } from './use-timeline.ts';
import { ValuePlot } from './value-plot.tsx';

/** The page of a cart's past, or the question whose it shall be. */
export function TimeMachine({ userId }: { readonly userId: string | undefined }) {
  const { userId: own, isStaff } = useStore(session);
  const shown = userId ?? own;
  if (own === undefined && !isStaff) {
    return (
      <section class="narrow">
        <h1>Time machine</h1>
        <p>Sign in to see the past of your cart, or shop first.</p>
        <SignIn />
      </section>
    );
  }
  return (
    <>
      {isStaff ? <ChooseUser userId={shown} /> : null}
      {shown === undefined ? null : <TimeOf userId={shown} key={shown} />}
    </>
  );
}

function ChooseUser({ userId }: { readonly userId: string | undefined }) {
  const [text, setText] = useState(userId ?? '');
  const open = (event: SubmitEvent) => {
    event.preventDefault();
    if (text.trim() !== '') goTo(`/time/${encodeURIComponent(text.trim())}`);
  };
  return (
    <form class="choose" onSubmit={open}>
      <label>
        <span>Cart of</span>
        <input value={text} onInput={(event) => setText(event.currentTarget.value)} spellcheck={false} />
      </label>
      <button type="submit">Open</button>
    </form>
  );
}

function TimeOf({ userId }: { readonly userId: string }) {
  const { entries, isComplete, problem } = useTimeline(userId);
  const newest = useMemo(
    () => entries.reduce((version, entry) => ('version' in entry ? entry.version : version), 0),
    [entries],
  );
  // Until somebody travels, the page stays at the present.
  const [chosen, setChosen] = useState<PointInTime>();
  const [pinned, setPinned] = useState<PointInTime>();
  const point = chosen ?? newest;
  const { value: cart, problem: unreadable } = usePastCart(userId, point);
  const version = typeof point === 'number' ? point : (cart?.version ?? 0);
  const [axis, setAxis] = useState<Axis>('versions');
  const span = spanOf(entries);
  const at = typeof point === 'number' ? instantOf(entries, version) : Date.parse(String(point));

  return (
    <div class="time">
      <header class="time-head">
        <h1>The cart of {userId}</h1>
        <p class="quiet">
          {plural(newest, 'event')}
          {isComplete ? '' : ', reading on…'}
        </p>
        <ChainBadge userId={userId} newest={newest} />
      </header>
      {problem === undefined ? null : <p role="alert">{problem}</p>}
      <Travel
        axis={axis}
        onAxis={setAxis}
        newest={newest}
        version={version}
        span={span}
        at={at ?? span[0]}
        onTravel={setChosen}
      />
      {unreadable === undefined ? null : <p role="alert">{unreadable}</p>}
      <div class="time-body">
        <section aria-labelledby="moment">
          <h2 id="moment">
            {typeof point === 'number' ? `Version ${point}` : `At ${instant(String(point))}: version ${version}`}
          </h2>
          {cart === undefined ? <p class="quiet">Reading…</p> : <CartTable cart={cart} />}
          <div class="actions">
            <button type="button" onClick={() => setPinned(point)}>
              Pin this moment
            </button>
            <Restore userId={userId} version={version} newest={newest} onRestored={() => setChosen(undefined)} />
          </div>
          {pinned === undefined ? null : (
            <Comparison userId={userId} from={pinned} to={point} cart={cart} onUnpin={() => setPinned(undefined)} />
          )}
          <ValuePlot entries={entries} axis={axis} version={version} at={at} onTravel={setChosen} />
        </section>
        <Entries entries={entries} version={version} onTravel={setChosen} />
      </div>
    </div>
  );
}

/** From the first entry to the last one. */
function spanOf(entries: readonly TimelineEntry[]): readonly [number, number] {
  const now = Date.now();
  return [Date.parse(entries.at(0)?.occurredAt ?? '') || now, Date.parse(entries.at(-1)?.occurredAt ?? '') || now];
}

/** When the cart got a version. */
function instantOf(entries: readonly TimelineEntry[], version: number): number | undefined {
  const entry = entries.find((each) => 'version' in each && each.version === version);
  return entry && Date.parse(entry.occurredAt);
}

/** What the slider and the plot run over. */
export type Axis = 'versions' | 'instants';

interface TravelProps {
  readonly axis: Axis;
  readonly onAxis: (axis: Axis) => void;
  readonly newest: number;
  readonly version: number;
  /** The instants between which the slider moves, and the one where it is, in milliseconds. */
  readonly span: readonly [from: number, to: number];
  readonly at: number;
  readonly onTravel: (point: PointInTime | undefined) => void;
}

/** Chooses a version or an instant with a slider, also by keys; an instant also by its digits. */
function Travel({ axis, onAxis, newest, version, span: [from, to], at, onTravel }: TravelProps) {
  const [text, setText] = useState('');
  const goToInstant = (event: SubmitEvent) => {
    event.preventDefault();
    if (text !== '') onTravel(new Date(text).toISOString());
  };
  const isByVersion = axis === 'versions';
  const place = isByVersion ? `${version} / ${newest}` : instant(new Date(at).toISOString());
  return (
    <div class="travel">
      <fieldset class="axes">
        <legend class="unseen">Travel by</legend>
        {(['versions', 'instants'] as const).map((each) => (
          <label key={each}>
            <input type="radio" name="axis" checked={axis === each} onChange={() => onAxis(each)} />
            {each}
          </label>
        ))}
      </fieldset>
      <label class="slider">
        <span class="unseen">{isByVersion ? 'Version' : 'Instant'}</span>
        <input
          type="range"
          min={isByVersion ? 0 : from}
          max={isByVersion ? newest : to}
          step={1}
          value={isByVersion ? version : at}
          aria-valuetext={isByVersion ? `Version ${version} of ${newest}` : place}
          onInput={({ currentTarget: { valueAsNumber } }) =>
            onTravel(isByVersion ? valueAsNumber : new Date(valueAsNumber).toISOString())
          }
        />
        <output>{place}</output>
      </label>
      <form class="instant" onSubmit={goToInstant}>
        <label>
          <span>Instant</span>
          <input
            type="datetime-local"
            step="0.001"
            value={text}
            onInput={(event) => setText(event.currentTarget.value)}
          />
        </label>
        <button type="submit">Go</button>
        <button type="button" onClick={() => onTravel(undefined)}>
          Now
        </button>
      </form>
    </div>
  );
}

interface RestoreProps {
  readonly userId: string;
  readonly version: number;
  readonly newest: number;
  readonly onRestored: () => void;
}

/** Makes the cart what it was, by a new event: the past stays as it is. */
function Restore({ userId, version, newest, onRestored }: RestoreProps) {
  const [isBusy, setBusy] = useState(false);
  const [outcome, setOutcome] = useState<string>();
  useEffect(() => setOutcome(undefined), [version]);
  const restore = async () => {
    setBusy(true);
    try {
      await commands.restoreCart(userId, version, { waitSeconds: 20 });
      onRestored();
    } catch (error) {
      setOutcome(explain(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <button type="button" disabled={isBusy || version === newest} onClick={() => void restore()}>
        Restore version {version}
      </button>
      {outcome === undefined ? null : <p role="alert">{outcome}</p>}
    </>
  );
}
