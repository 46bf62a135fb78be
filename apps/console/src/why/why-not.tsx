import { useState } from 'react'
import { explainFeed } from '../api/blender.ts'
import { useConfig } from '../api/config-context.tsx'
import { findByWords } from '../api/demo.ts'
import { useResource } from '../api/use-resource.ts'
import { useCards, useHome } from '../feed/home-context.tsx'
import { usePerson } from '../feed/person/person-context.tsx'
import { Picture } from '../feed/pin/picture.tsx'
import { Button } from '../ui/button.tsx'
import { TextField } from '../ui/field.tsx'
import { Loaded } from '../ui/states.tsx'
import { absenceInWords, sentencesFor } from './sentences.ts'

const maxFound = 6

/** Looks a pin up, by words or by id, and says where it fell. */
export function WhyNot({ feedId }: { readonly feedId: string }) {
  const [words, setWords] = useState('')
  const [asked, setAsked] = useState('')
  const [pinId, setPinId] = useState<string | null>(null)
  const hasWords = useConfig().value?.capabilities.words ?? false
  const { locale } = usePerson()
  const { cards } = useHome()
  const titles = useCards()
  const found = useResource(asked !== '' && hasWords ? `${locale} ${asked}` : null, async (signal) => {
    const pinIds = await findByWords(asked, locale, maxFound, signal)
    cards.want(pinIds)
    return pinIds
  })
  return (
    <section className="why-part why-not">
      <h3>Why not another pin?</h3>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          const trimmed = words.trim()
          if (hasWords) {
            setAsked(trimmed)
            setPinId(null)
          } else setPinId(trimmed === '' ? null : trimmed)
        }}
      >
        <TextField
          label={hasWords ? 'Find a pin by words' : 'Id of the pin'}
          value={words}
          placeholder={hasWords ? 'For example: red apple' : ''}
          onChange={(event) => {
            setWords(event.target.value)
          }}
        />
        <Button type="submit">Look</Button>
      </form>
      {asked !== '' && hasWords && (
        <Loaded what="The search" resource={found} lines={1}>
          {(pinIds) =>
            pinIds.length === 0 ? (
              <p>Nothing is called that. Try another word.</p>
            ) : (
              <ul className="why-found" aria-label="Pins found">
                {pinIds.map((id) => (
                  <li key={id}>
                    <button
                      type="button"
                      aria-pressed={id === pinId}
                      title={titles.titleOf(id)}
                      aria-label={titles.titleOf(id) || id}
                      onClick={() => {
                        setPinId(id)
                      }}
                    >
                      <Picture pinId={id} card={titles.get(id)} title="" />
                    </button>
                  </li>
                ))}
              </ul>
            )
          }
        </Loaded>
      )}
      {pinId !== null && <Fate feedId={feedId} pinId={pinId} />}
    </section>
  )
}

function Fate({ feedId, pinId }: { readonly feedId: string; readonly pinId: string }) {
  const titles = useCards()
  const explanation = useResource(`${feedId} not ${pinId}`, (signal) => explainFeed(feedId, pinId, signal))
  const title = titles.titleOf(pinId) || pinId
  return (
    <Loaded what="The answer" resource={explanation} lines={2}>
      {({ pins: [explained], absence }) => (
        <ul className="why-sentences" aria-live="polite">
          {(absence
            ? absenceInWords(absence, title)
            : explained
              ? [
                  `${title} is on this page, as number ${explained.position + 1}.`,
                  ...sentencesFor(explained, null, titles.titleOf),
                ]
              : [`The record says nothing about ${title}.`]
          ).map((sentence) => (
            <li key={sentence}>{sentence}</li>
          ))}
        </ul>
      )}
    </Loaded>
  )
}
