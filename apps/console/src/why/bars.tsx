/** A row of bars: a name, a number and its bar, to the right where it is positive. */
export interface Bar {
  readonly name: string
  /** More about the name, in small letters. */
  readonly detail?: string
  readonly value: number
  /** The number as text. */
  readonly text: string
}

/** Draws numbers beside their bars, on one scale with the zero in the middle. */
export function Bars({ rows }: { readonly rows: readonly Bar[] }) {
  const largest = Math.max(1e-9, ...rows.map(({ value }) => Math.abs(value)))
  return (
    <dl className="bars">
      {rows.map(({ name, detail, value, text }) => (
        <div key={detail ?? name}>
          <dt>
            {name}
            {detail !== undefined && <small>{detail}</small>}
          </dt>
          <dd>
            <span className="bar" aria-hidden="true">
              <span
                className={value < 0 ? 'is-against' : 'is-for'}
                style={{ width: `${(Math.abs(value) / largest) * 50}%` }}
              />
            </span>
            <span className="number">{text}</span>
          </dd>
        </div>
      ))}
    </dl>
  )
}
