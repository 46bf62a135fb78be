import type { FeedItem } from '@freshet/client/browser'
import { useEffect } from 'react'
import { explainFeed, type ExplainedPin, type Explanation } from '../api/blender.ts'
import { useResource } from '../api/use-resource.ts'
import { becauseOf } from '../feed/because.ts'
import { useCards, useHome } from '../feed/home-context.tsx'
import { Picture } from '../feed/pin/picture.tsx'
import { Badge } from '../ui/card.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { EmptyState, Loaded } from '../ui/states.tsx'
import { Bars } from './bars.tsx'
import { featureInWords, headInWords, sourceInWords, stageInWords } from './names.ts'
import { bestFirst, percent, seedsInWords, sentencesFor, signed } from './sentences.ts'
import { WhyNot } from './why-not.tsx'
import './why-panel.css'

/** Why a pin is on the page: first in sentences, then in numbers. */
export function WhyPanel({ pin, onClose }: { readonly pin: FeedItem; readonly onClose: () => void }) {
  const cards = useCards()
  const { shown } = useHome()
  const place = pin.feedId ? pin : (shown.get(pin.pinId) ?? pin)
  const title = cards.titleOf(pin.pinId) || pin.pinId
  const feedId = place.feedId ?? ''
  const explanation = useResource(feedId === '' ? null : `${feedId} ${pin.pinId}`, (signal) =>
    explainFeed(feedId, pin.pinId, signal),
  )
  return (
    <Dialog title="Why this pin" onClose={onClose} side>
      <div className="why-pin">
        <div className="why-picture">
          <Picture pinId={pin.pinId} card={cards.get(pin.pinId)} title="" />
        </div>
        <div>
          <h3 className="why-title">{title}</h3>
          <p className="why-place">
            {feedId === '' ? 'not from a recorded page' : `number ${place.position + 1} of this feed`}
          </p>
        </div>
      </div>
      {feedId === '' ? (
        <EmptyState title="No record">
          Results of searches are not recorded. Open this panel on a pin of the home feed or of related pins.
        </EmptyState>
      ) : (
        <>
          <Loaded what="The explanation" resource={explanation} lines={7}>
            {(found) => <Explained explanation={found} pin={pin} />}
          </Loaded>
          <WhyNot feedId={feedId} />
        </>
      )}
    </Dialog>
  )
}

function Explained({ explanation, pin }: { readonly explanation: Explanation; readonly pin: FeedItem }) {
  const cards = useCards()
  const pinIds = explanation.pins.flatMap(({ sources }) =>
    sources.flatMap(({ seeds }) => seeds.map((seed) => seed.pinId)),
  )
  useEffect(() => {
    cards.want([...new Set(pinIds)])
  }, [cards, pinIds.join()])
  const explained = explanation.pins.find(({ pinId }) => pinId === pin.pinId)
  if (!explained)
    return <EmptyState title="Not on the page any more">The record of this page does not have it.</EmptyState>
  const because = becauseOf(
    bestFirst(explained.sources).map(({ source }) => source),
    explained.sources,
  )
  return (
    <>
      <ul className="why-sentences">
        {sentencesFor(explained, because, cards.titleOf).map((sentence) => (
          <li key={sentence}>{sentence}</li>
        ))}
      </ul>
      <Numbers explained={explained} explanation={explanation} />
    </>
  )
}

const maxFeatures = 8
/** Actions that are named; the rest are counted. */
const maxSeeds = 3

function Numbers({ explained, explanation }: { readonly explained: ExplainedPin; readonly explanation: Explanation }) {
  const cards = useCards()
  const features = explained.features
    .filter(({ utilityContribution }) => Math.abs(utilityContribution ?? 0) > 0)
    .slice(0, maxFeatures)
  return (
    <>
      <section className="why-part">
        <h3>Found by</h3>
        <ul className="why-sources">
          {explained.sources.map(({ source, rank, seeds }) => (
            <li key={source}>
              <Badge tone="accent">{source}</Badge> {sourceInWords(source)}
              {rank !== undefined && <span className="number"> · rank {rank + 1}</span>}
              {seeds.length > 0 && (
                <div className="why-seeds">
                  It started from what you did: {seedsInWords(seeds, cards.titleOf, maxSeeds)}.
                </div>
              )}
            </li>
          ))}
        </ul>
      </section>
      {explained.heads.length > 0 && (
        <section className="why-part">
          <h3>What you will do, as predicted</h3>
          <Bars
            rows={explained.heads.map(({ head, value, utilityPart = 0 }) => ({
              name: headInWords(head),
              value: utilityPart,
              text: `${percent(value)} (${signed(utilityPart)})`,
            }))}
          />
        </section>
      )}
      <p className="why-sum number">
        Utility {signed(explained.utility)}
        {explained.exploration !== undefined && <> · exploration {signed(explained.exploration)}</>}
      </p>
      <section className="why-part">
        <h3>What speaks for and against it</h3>
        {features.length > 0 ? (
          <Bars
            rows={features.map(({ name, value, utilityContribution }) => ({
              name: featureInWords(name),
              detail: `${name} = ${value === null ? 'missing' : Number(value.toPrecision(3))}`,
              value: utilityContribution!,
              text: signed(utilityContribution!),
            }))}
          />
        ) : (
          <p>{explanation.contributionProblem || 'The model reports no contributions.'}</p>
        )}
      </section>
      <section className="why-part">
        <h3>What ordering did</h3>
        <ul className="why-moves">
          {explained.ordering.map(({ name, value }) => (
            <li key={name}>
              <b>{name}</b>
              <span className="number">{signed(value ?? 0)}</span>
              <span>{stageInWords(name)}</span>
            </li>
          ))}
          {explained.moves.map(({ why, from, to }) => (
            <li key={why}>
              <b>{why}</b>
              <span className="number">
                {from + 1} → {to + 1}
              </span>
              <span>{stageInWords(why)}</span>
            </li>
          ))}
        </ul>
        <p className="why-sum">
          Model <code>{explanation.modelVersion || 'none'}</code> · page <code>{explanation.feedId}</code>
        </p>
      </section>
    </>
  )
}
