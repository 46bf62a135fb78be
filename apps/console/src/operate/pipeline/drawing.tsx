import { useEffect, useRef, useState } from 'react'
import { count, duration, percent } from '../shared/format.ts'
import { removalsOf, streamWidth, type Phase, type Row, type StageFlow } from './layout.ts'

const rowHeight = 46
const phaseGap = 14
/** Room for the name of the phase above its stages. */
const narrowGap = 30
const nodeHeight = 30
const fontWidth = 6.6

interface Placed {
  readonly row: Row
  readonly y: number
}

/** The stages as a graph from top to bottom: the stream of candidates, as wide as their number, with what each stage takes out of it. */
export function PipelineDrawing({
  phases,
  selected,
  onSelect,
}: {
  readonly phases: readonly Phase[]
  /** The stage whose details are shown; null: none. */
  readonly selected: string | null
  readonly onSelect: (stage: string) => void
}) {
  const place = useRef<HTMLDivElement>(null)
  const [width, setWidth] = useState(720)
  useEffect(() => {
    const element = place.current
    if (element === null) return
    const sizes = new ResizeObserver(() => {
      if (element.clientWidth > 0) setWidth(element.clientWidth)
    })
    sizes.observe(element)
    return () => {
      sizes.disconnect()
    }
  }, [])

  const isNarrow = width < 620
  const placed: (readonly Placed[])[] = []
  let y = isNarrow ? 24 : 8
  for (const { rows } of phases) {
    placed.push(
      rows.map((row) => {
        const at = y
        y += rowHeight
        return { row, y: at }
      }),
    )
    y += isNarrow ? narrowGap : phaseGap
  }
  const height = y
  const all = placed.flat()
  const most = Math.max(1, ...all.map(({ row }) => lastFlow(row).candidatesOut))
  const slowest = Math.max(1e-6, ...all.map(({ row }) => tookOf(row) ?? 0))
  const phaseWidth = isNarrow ? 0 : 132
  const nodeWidth = isNarrow ? Math.min(190, width * 0.55) : 216
  const x = isNarrow ? 10 : phaseWidth + 34
  const middle = x + nodeWidth / 2
  const right = x + nodeWidth
  const timeWidth = isNarrow ? 0 : 150

  return (
    <div ref={place} className="pipeline-drawing">
      <svg
        width={width}
        height={height}
        role="group"
        aria-label="The stages of the pipeline, from the request to the page"
      >
        {phases.map(({ name }, phase) => {
          const rows = placed[phase] ?? []
          const top = (rows[0]?.y ?? 0) - 6
          return (
            <g key={`${name}-${phase}`} aria-hidden="true">
              <rect
                className="pipeline-phase"
                x={0.5}
                y={top}
                width={width - 1}
                height={rows.length * rowHeight + 2}
                rx={12}
              />
              <text className="pipeline-phase-name" x={isNarrow ? 2 : 16} y={isNarrow ? top - 6 : top + 25}>
                {name}
              </text>
            </g>
          )
        })}
        {all.map(({ row, y: top }, at) => {
          const next = all[at + 1]
          if (next === undefined) return null
          const { candidatesOut } = lastFlow(row)
          return (
            <line
              key={keyOf(row)}
              className={candidatesOut > 0 ? 'pipeline-stream' : 'pipeline-stream pipeline-stream-dry'}
              x1={middle}
              x2={middle}
              y1={top + nodeHeight}
              y2={next.y}
              strokeWidth={streamWidth(candidatesOut, most)}
              aria-hidden="true"
            />
          )
        })}
        {all.map(({ row, y: top }) => {
          const flow = lastFlow(row)
          const removals = row.kind === 'stage' ? removalsOf(row.flow) : []
          const removed = removals.reduce((sum, [, value]) => sum + value, 0)
          const took = tookOf(row)
          const name = nameOf(row)
          const outEnd = right + (isNarrow ? 8 : 14)
          const branchEnd = outEnd + 62
          const hasError = row.kind === 'stage' && Object.keys(row.flow.errors).length > 0
          const isSelected = row.kind === 'stage' && row.flow.stage === selected
          const room = width - branchEnd - timeWidth - 22
          return (
            <g key={keyOf(row)}>
              <g
                className={`pipeline-node ${row.kind === 'quiet' ? 'pipeline-node-quiet' : ''} ${hasError ? 'pipeline-node-bad' : ''} ${isSelected ? 'pipeline-node-selected' : ''}`}
                {...(row.kind === 'stage' && {
                  role: 'button',
                  tabIndex: 0,
                  'aria-pressed': isSelected,
                  'aria-label': describe(row.flow),
                  onClick: () => {
                    onSelect(row.flow.stage)
                  },
                  onKeyDown: (event) => {
                    if (event.key !== 'Enter' && event.key !== ' ') return
                    event.preventDefault()
                    onSelect(row.flow.stage)
                  },
                })}
              >
                <rect x={x} y={top} width={nodeWidth} height={nodeHeight} rx={9} />
                <text x={x + 11} y={top + 19.5}>
                  {fitted(name, nodeWidth - 62)}
                </text>
              </g>
              {flow.candidatesOut > 0 && (
                <text className="pipeline-count" x={right - 10} y={top + 19.5} textAnchor="end" aria-hidden="true">
                  {count(flow.candidatesOut)}
                </text>
              )}
              {removed > 0 && (
                <g aria-hidden="true">
                  <path
                    className="pipeline-branch"
                    d={`M${right} ${top + nodeHeight / 2}H${outEnd}`}
                    strokeWidth={Math.max(2, streamWidth(removed, most) / 2)}
                  />
                  <text className="pipeline-removed" x={outEnd + 6} y={top + 19.5}>
                    {fitted(
                      `− ${count(removed)}  ${removals.map(([reason]) => reason).join(', ')}`,
                      Math.max(52, room + 56),
                    )}
                  </text>
                </g>
              )}
              {isNarrow && removed === 0 && took !== null && took > 0 && (
                <text className="pipeline-time-text" x={width - 10} y={top + 19.5} textAnchor="end" aria-hidden="true">
                  {duration(took)}
                </text>
              )}
              {!isNarrow && took !== null && took > 0 && (
                <g aria-hidden="true">
                  <rect
                    className="pipeline-time"
                    x={width - timeWidth + 56}
                    y={top + 11}
                    width={Math.max(1.5, (78 * took) / slowest)}
                    height={8}
                    rx={4}
                  />
                  <text className="pipeline-time-text" x={width - timeWidth + 48} y={top + 19.5} textAnchor="end">
                    {duration(took)}
                  </text>
                </g>
              )}
            </g>
          )
        })}
      </svg>
    </div>
  )
}

function lastFlow(row: Row): StageFlow {
  return row.kind === 'stage' ? row.flow : row.flows.at(-1)!
}

function keyOf(row: Row): string {
  return row.kind === 'stage' ? row.flow.stage : row.flows.map(({ stage }) => stage).join('/')
}

function nameOf(row: Row): string {
  return row.kind === 'stage' ? row.flow.stage : `${row.flows.length} quiet stages`
}

function tookOf(row: Row): number | null {
  if (row.kind === 'stage') return row.flow.tookMs
  return row.flows.reduce<number | null>((sum, { tookMs }) => (tookMs === null ? sum : (sum ?? 0) + tookMs), null)
}

function fitted(text: string, room: number): string {
  const most = Math.max(3, Math.floor(room / fontWidth))
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`
}

/** A stage in words. */
function describe(flow: StageFlow): string {
  const { stage, candidatesIn, candidatesOut, tookMs, errors } = flow
  const removals = removalsOf(flow).map(([reason, value]) => `${count(value)} for ${reason}`)
  const failures = Object.entries(errors).map(([code, share]) => `${code} in ${percent(share)}`)
  return [
    `${stage}: ${count(candidatesIn)} in, ${count(candidatesOut)} out`,
    ...(removals.length > 0 ? [`removed ${removals.join(', ')}`] : []),
    ...(tookMs === null ? [] : [duration(tookMs)]),
    ...failures,
  ].join('; ')
}
