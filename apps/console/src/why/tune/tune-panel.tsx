import { useEffect, useId, useMemo, useRef, useState, useSyncExternalStore } from 'react'
import { explainFeed } from '../../api/blender.ts'
import { elapsedMs } from '../../api/browser.ts'
import { reorderFeed, type Tuning } from '../../api/demo.ts'
import { asFailure, type Failure } from '../../api/http.ts'
import { useResource } from '../../api/use-resource.ts'
import { formatMs } from '../../feed/freshness/freshness.ts'
import { useHome } from '../../feed/home-context.tsx'
import { Button, IconButton } from '../../ui/button.tsx'
import { Icon } from '../../ui/icon.tsx'
import { EmptyState, Loaded } from '../../ui/states.tsx'
import { headInWords } from '../names.ts'
import { asServed, isAsServed, pageInSight } from './tuning.ts'
import './tune-panel.css'

/** Sliders that order the page in sight again, from its record: weights of the heads, diversity, exploration. */
export function TunePanel({ onClose }: { readonly onClose: () => void }) {
  const { store, below } = useHome()
  const id = useId()
  const [feedId] = useState(() => pageInSight(store.read().items, below.current?.() ?? 25))
  const firstPin = store.read().items.find((item) => item.feedId === feedId)?.pinId ?? ''
  const explanation = useResource(feedId === '' ? null : feedId, (signal) => explainFeed(feedId, firstPin, signal))
  useEffect(
    () => () => {
      store.restore()
    },
    [store],
  )
  return (
    <aside
      className="tune"
      aria-labelledby={id}
      onKeyDown={(event) => {
        if (event.key === 'Escape') onClose()
      }}
    >
      <header>
        <h2 id={id}>Tune this page</h2>
        <IconButton label="Close" onClick={onClose}>
          <Icon name="close" />
        </IconButton>
      </header>
      {feedId === '' ? (
        <EmptyState title="No page in sight">Scroll to some pins of the feed first.</EmptyState>
      ) : (
        <Loaded what="The page's record" resource={explanation} lines={6}>
          {({ pins, modelVersion }) =>
            modelVersion === '' ? (
              <EmptyState title="Nothing was ranked">
                This page came without a model, so there is nothing to weigh.
              </EmptyState>
            ) : (
              <Sliders feedId={feedId} heads={pins[0]?.heads.map(({ head }) => head) ?? []} />
            )
          }
        </Loaded>
      )}
    </aside>
  )
}

function Sliders({ feedId, heads }: { readonly feedId: string; readonly heads: readonly string[] }) {
  const { store } = useHome()
  const served = useMemo(() => asServed(heads), [heads])
  const [tuning, setTuning] = useState<Tuning>(served)
  const [tookMs, setTookMs] = useState<number | null>(null)
  const [failure, setFailure] = useState<Failure | null>(null)
  const { moves } = useSyncExternalStore(store.subscribe, store.read)
  const asking = useRef<AbortController | null>(null)

  useEffect(() => {
    asking.current?.abort()
    if (isAsServed(tuning)) {
      store.restore()
      setTookMs(null)
      return
    }
    const own = (asking.current = new AbortController())
    const startMs = elapsedMs()
    reorderFeed(feedId, tuning, own.signal)
      .then((items) => {
        if (own.signal.aborted) return
        setFailure(null)
        setTookMs(elapsedMs() - startMs)
        store.reorder(
          feedId,
          items.toSorted((a, b) => a.to - b.to).map(({ pinId }) => pinId),
        )
      })
      .catch((thrown: unknown) => {
        if (!own.signal.aborted) setFailure(asFailure(thrown))
      })
  }, [feedId, tuning, store])

  return (
    <div className="tune-sliders">
      <p className="tune-about">
        The page is ordered again from its record, by the code of the ordering. Only the order changes, not what was
        found.
      </p>
      {heads.length > 0 && <h3>How much each prediction counts</h3>}
      {heads.map((head) => (
        <Slider
          key={head}
          name={`You will ${headInWords(head)}`}
          value={tuning.weights[head] ?? 1}
          onChange={(factor) => {
            setTuning({ ...tuning, weights: { ...tuning.weights, [head]: factor } })
          }}
        />
      ))}
      <h3>How the page is mixed</h3>
      <Slider
        name="Diversity"
        value={tuning.diversity}
        onChange={(diversity) => {
          setTuning({ ...tuning, diversity })
        }}
      />
      <Slider
        name="Exploration"
        value={tuning.exploration}
        onChange={(exploration) => {
          setTuning({ ...tuning, exploration })
        }}
      />
      <div className="tune-foot">
        <p role="status">
          {failure
            ? `The page cannot be ordered again: ${failure.message}`
            : tookMs === null
              ? 'As served.'
              : `${moves.size} pins moved, in ${formatMs(tookMs)}.`}
        </p>
        <Button
          size="s"
          disabled={isAsServed(tuning)}
          onClick={() => {
            setTuning(served)
          }}
        >
          As served
        </Button>
      </div>
    </div>
  )
}

function Slider({
  name,
  value,
  onChange,
}: {
  readonly name: string
  readonly value: number
  readonly onChange: (value: number) => void
}) {
  const id = useId()
  return (
    <div className="slider">
      <label htmlFor={id}>{name}</label>
      <output htmlFor={id} className="number">
        × {value.toFixed(1)}
      </output>
      <input
        id={id}
        type="range"
        min={0}
        max={3}
        step={0.1}
        value={value}
        aria-valuetext={value === 1 ? 'as served' : `times ${value.toFixed(1)}`}
        onChange={(event) => {
          onChange(Number(event.target.value))
        }}
      />
    </div>
  )
}
