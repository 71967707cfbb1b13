import { useEffect, useRef } from 'preact/hooks';
import type { TimelineEntry } from '../../../client/src/index.ts';
import { instant, plural } from '../format.ts';

interface EntriesProps {
  readonly entries: readonly TimelineEntry[];
  readonly version: number;
  readonly onTravel: (version: number) => void;
}

/** How many entries are shown before and after the moment. */
const around = 40;

/** What was decided around a moment: events and rejected commands, with who and why. */
export function Entries({ entries, version, onTravel }: EntriesProps) {
  const list = useRef<HTMLOListElement>(null);
  const place = placeOf(entries, version);
  const from = Math.max(0, place - around);
  const shown = entries.slice(from, place + around + 1);
  const rest = entries.length - from - shown.length;
  useEffect(() => {
    const current = list.current?.querySelector<HTMLElement>('[aria-current]');
    if (list.current && current) list.current.scrollTop = current.offsetTop - list.current.clientHeight / 2;
  }, [version, entries.length]);
  return (
    <section aria-labelledby="entries">
      <h2 id="entries">Timeline</h2>
      {entries.length === 0 ? <p>Nothing has happened yet.</p> : null}
      <ol class="entries" ref={list} aria-label="Timeline">
        {from > 0 ? <li class="quiet">{plural(from, 'entry', 'entries')} before</li> : null}
        {shown.map((entry, index) => (
          <EntryRow key={from + index} entry={entry} isCurrent={from + index === place} onTravel={onTravel} />
        ))}
        {rest > 0 ? <li class="quiet">{plural(rest, 'entry', 'entries')} after</li> : null}
      </ol>
    </section>
  );
}

/** The place of the event with this version. Versions grow with their places. */
function placeOf(entries: readonly TimelineEntry[], version: number): number {
  return entries.findLastIndex((entry) => 'version' in entry && entry.version <= version);
}

interface EntryRowProps {
  readonly entry: TimelineEntry;
  readonly isCurrent: boolean;
  readonly onTravel: (version: number) => void;
}

function EntryRow({ entry, isCurrent, onTravel }: EntryRowProps) {
  const { command, actor, occurredAt, run } = entry;
  const isRejected = entry.type === 'CommandRejected';
  return (
    <li class={isRejected ? 'entry rejected' : 'entry'} {...(isCurrent ? { 'aria-current': 'true' as const } : {})}>
      {isRejected ? (
        <strong>{command} was rejected</strong>
      ) : (
        <button type="button" class="plain" onClick={() => onTravel(entry.version)}>
          <span class="badge">{entry.version}</span> {entry.type}
        </button>
      )}
      <p>{isRejected ? entry.reason : describeChange(entry)}</p>
      <p class="quiet">
        {isRejected ? '' : `${command} · `}
        {actor} · <time dateTime={occurredAt}>{instant(occurredAt)}</time>
        {run === undefined ? null : (
          <>
            {' · '}
            <a href={run} target="_blank" rel="noreferrer">
              run
            </a>
          </>
        )}
      </p>
    </li>
  );
}

type Event = Exclude<TimelineEntry, { readonly type: 'CommandRejected' }>;

/** What an event changed, in words. */
function describeChange({ type, data, before, after }: Event): string {
  if (type === 'NoteChanged') return data.note === null ? 'the note was removed' : `the note is “${data.note}”`;
  const lines = new Map<string, { name: string; from: number; to: number }>();
  for (const { lineId, name, quantity } of before) lines.set(lineId, { name, from: quantity, to: 0 });
  for (const { lineId, name, quantity } of after) {
    lines.set(lineId, { name, from: lines.get(lineId)?.from ?? 0, to: quantity });
  }
  const changes = [...lines.values()].map(({ name, from, to }) => (from === to ? name : `${name}: ${from} to ${to}`));
  if (changes.length <= most) return changes.join(', ');
  return `${changes.slice(0, most).join(', ')} and ${changes.length - most} more`;
}

const most = 4;
