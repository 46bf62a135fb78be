import type { ReactNode } from 'react'

/** A bar of a list. */
export interface Bar {
  readonly name: string
  readonly value: number
  /** The value as text. */
  readonly text: string
  readonly note?: ReactNode
}

/** Horizontal bars with names and values, the longest as wide as the list. `caption` names it for screen readers. */
export function Bars({
  caption,
  bars,
  series = 1,
}: {
  readonly caption: string
  readonly bars: readonly Bar[]
  readonly series?: 1 | 2 | 3 | 4 | 5 | 6
}) {
  const most = Math.max(...bars.map(({ value }) => Math.abs(value)), 1e-9)
  return (
    <ul className="bars" aria-label={caption}>
      {bars.map(({ name, value, text, note }) => (
        <li key={name}>
          <span className="bars-name" title={name}>
            {name}
          </span>
          <span className="bars-track" aria-hidden="true">
            <span
              className={`bars-bar bars-series-${series}`}
              style={{ width: `${Math.max(0.5, (100 * Math.abs(value)) / most)}%` }}
            />
          </span>
          <span className="bars-value number">
            {text}
            {note !== undefined && <span className="bars-note"> {note}</span>}
          </span>
        </li>
      ))}
    </ul>
  )
}
