import { useEffect, useRef, useState } from 'preact/hooks';
import type uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

/** The colour of a variable of the style, as a canvas takes it. */
export type Colour = (variable: string) => string;

/** What makes plots. */
export type Library = typeof uPlot;

interface PlotProps {
  readonly title: string;
  /** What the plot shows, in words. */
  readonly description: string;
  readonly data: uPlot.AlignedData;
  readonly options: (colour: Colour, library: Library) => Omit<uPlot.Options, 'width' | 'height'>;
  /** Where on the horizontal axis a line is drawn. */
  readonly mark?: number;
  /** Takes the place on the horizontal axis on which somebody clicks. */
  readonly onChoose?: (x: number) => void;
}

const height = 190;

/** A plot that is as wide as its place. `options` is read once. */
export function Plot({ title, description, data, options, mark, onChoose }: PlotProps) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const choose = useRef(onChoose);
  choose.current = onChoose;

  // uPlot ends with an error where the language of the browser is none that it knows: then the words are left.
  const [library, setLibrary] = useState<Library>();
  useEffect(() => {
    import('uplot').then(({ default: loaded }) => setLibrary(() => loaded)).catch(() => undefined);
  }, []);
  useEffect(() => {
    if (library === undefined) return;
    const element = place.current!;
    const size = () => ({ width: element.clientWidth, height });
    const made = new library({ ...size(), ...options(colourIn(element), library) }, data, element);
    plot.current = made;
    made.over.addEventListener('click', () => choose.current?.(made.posToVal(made.cursor.left ?? 0, 'x')));
    const watcher = new ResizeObserver(() => made.setSize(size()));
    watcher.observe(element);
    return () => {
      watcher.disconnect();
      made.destroy();
    };
  }, [library]);
  useEffect(() => plot.current?.setData(data), [data]);
  useEffect(() => {
    const made = plot.current;
    if (made === undefined || mark === undefined) return;
    const left = made.valToPos(mark, 'x') + made.bbox.left / devicePixelRatio;
    place.current?.style.setProperty('--mark', `${left}px`);
  }, [library, data, mark]);

  return (
    <figure class={mark === undefined ? 'plot' : 'plot marked'}>
      <figcaption>{title}</figcaption>
      <div ref={place} role="img" aria-label={description} />
    </figure>
  );
}

/** A canvas does not know the functions of a style: the browser computes them. */
const colourIn =
  (element: HTMLElement): Colour =>
  (variable) => {
    const probe = document.createElement('span');
    probe.style.color = `var(${variable})`;
    element.append(probe);
    const { color } = getComputedStyle(probe);
    probe.remove();
    return color;
  };

/** An axis in the colours of the page. */
export const axisIn = (colour: Colour, more: uPlot.Axis = {}): uPlot.Axis => ({
  stroke: colour('--quiet'),
  grid: { stroke: colour('--rule'), width: 1 },
  ticks: { show: false },
  ...more,
});
