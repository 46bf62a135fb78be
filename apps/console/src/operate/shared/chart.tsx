import { useEffect, useRef } from 'react'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import './chart.css'

/** A line of a chart. */
export interface Line {
  readonly name: string
  /** One for each place on the x axis; null: a gap. */
  readonly values: readonly (number | null)[]
  /** Number of the colour in the design; default: its place in the list. */
  readonly series?: number
  readonly isDashed?: boolean
}

/** What a chart draws. */
export interface ChartProps {
  /** What it shows, in words, for those who do not see it. */
  readonly label: string
  /** Seconds since the epoch, or numbers of `xNames`. */
  readonly x: readonly number[]
  /** Names of the places on the x axis; absent: they are times. */
  readonly xNames?: readonly string[]
  readonly lines: readonly Line[]
  /** Formats values of the y axis. */
  readonly format: (value: number) => string
  readonly height?: number
  readonly fromZero?: boolean
  /** Draws points, for few values. */
  readonly points?: boolean
}

/** A line chart in the colours of the theme, as wide as its place. */
export function Chart(props: ChartProps) {
  const place = useRef<HTMLDivElement>(null)
  const latest = useRef(props)
  latest.current = props
  const shape = `${props.lines.map(({ name }) => name).join('/')}|${props.xNames?.join('/') ?? ''}|${props.points === true}`

  useEffect(() => {
    const element = place.current
    if (element === null) return
    let chart: uPlot | null = null
    const draw = (): void => {
      chart?.destroy()
      chart = new uPlot(optionsOf(latest.current, element), dataOf(latest.current), element)
    }
    draw()
    const sizes = new ResizeObserver(() => {
      if (chart !== null && element.clientWidth > 0 && chart.width !== element.clientWidth)
        chart.setSize({ width: element.clientWidth, height: latest.current.height ?? 220 })
    })
    sizes.observe(element)
    const themes = new MutationObserver(draw)
    themes.observe(document.documentElement, { attributeFilter: ['data-theme'] })
    charts.set(element, (data) => chart?.setData(data))
    return () => {
      sizes.disconnect()
      themes.disconnect()
      charts.delete(element)
      chart?.destroy()
    }
  }, [shape])

  useEffect(() => {
    if (place.current !== null) charts.get(place.current)?.(dataOf(props))
  })

  return (
    <figure className="chart" role="img" aria-label={props.label}>
      <div ref={place} className="chart-place" aria-hidden="true" />
    </figure>
  )
}

const timeOfDay = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' })

const charts = new WeakMap<HTMLElement, (data: uPlot.AlignedData) => void>()

function dataOf({ x, lines }: ChartProps): uPlot.AlignedData {
  return [[...x], ...lines.map(({ values }) => [...values])]
}

function optionsOf(props: ChartProps, element: HTMLElement): uPlot.Options {
  const style = getComputedStyle(document.documentElement)
  const colour = (name: string): string => style.getPropertyValue(name).trim()
  const axis = {
    stroke: colour('--ink-soft'),
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { show: false },
    font: '12px system-ui, sans-serif',
  }
  const { xNames, format, fromZero = true, points = false } = props
  return {
    width: Math.max(element.clientWidth, 200),
    height: props.height ?? 220,
    padding: [12, 12, 0, 0],
    cursor: { y: false, points: { size: 7 } },
    legend: { live: true },
    scales: {
      x: {
        time: xNames === undefined,
        // Half a step of room at both ends, so that names fit and a single point is in the middle.
        ...(xNames !== undefined && { range: (): [number, number] => [-0.5, xNames.length - 0.5] }),
      },
      y: { range: (_chart, low, high) => rangeOf(low, high, fromZero) },
    },
    axes: [
      {
        ...axis,
        ...(xNames !== undefined && {
          splits: () => props.x as number[],
          values: (_chart, places) => places.map((place) => xNames[place] ?? ''),
          grid: { show: false },
        }),
        ...(xNames === undefined && {
          values: (_chart: uPlot, seconds: number[]) => seconds.map((each) => timeOfDay.format(1_000 * each)),
          space: 70,
        }),
      },
      { ...axis, size: 64, values: (_chart, values) => values.map(format) },
    ],
    series: [
      {
        label: xNames === undefined ? 'Time' : 'Model',
        value: (_chart, place) =>
          place === null ? '—' : xNames === undefined ? timeOfDay.format(1_000 * place) : (xNames[place] ?? '—'),
      },
      ...props.lines.map(({ name, series, isDashed = false }, at) => ({
        label: name,
        stroke: colour(`--series-${series ?? (at % 6) + 1}`),
        width: 2,
        ...(isDashed && { dash: [5, 5] }),
        spanGaps: false,
        points: { show: points, size: 7 },
        value: (_chart: uPlot, value: number | null) => (value === null ? '—' : format(value)),
      })),
    ],
  }
}

function rangeOf(low: number | null, high: number | null, fromZero: boolean): [number, number] {
  if (low === null || high === null) return [0, 1]
  if (fromZero) return [0, high <= 0 ? 1 : high * 1.15]
  const room = Math.max((high - low) * 0.15, Math.abs(high) * 0.02, 1e-9)
  return [low - room, high + room]
}
