import { useMemo, useState } from 'react'
import { Link, useSearchParams } from 'wouter'
import { rankPins } from '../../api/blender.ts'
import { useConfig } from '../../api/config-context.tsx'
import { findByWords } from '../../api/demo.ts'
import { useResource } from '../../api/use-resource.ts'
import { EmptyState, ErrorState } from '../../ui/states.tsx'
import { usePerson } from '../person/person-context.tsx'
import { Pins } from '../pins.tsx'
import './search-page.css'

const maxResults = 200

/** What fits some words, in the order that suits the person. */
export function SearchPage() {
  const [parameters] = useSearchParams()
  const words = parameters.get('q') ?? ''
  const { client, userId, locale } = usePerson()
  const hasWords = useConfig().value?.capabilities.words ?? false
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set())
  const { value, failure, isLoading, reload } = useResource(
    hasWords ? `${userId} ${locale} ${words}` : null,
    async (signal) => {
      const pinIds = await findByWords(words, locale, maxResults, signal)
      if (pinIds.length === 0) return []
      const token = client.tokenOf(userId)
      return rankPins({ userId, pinIds, locale, after: token === null ? [] : [token] }, signal)
    },
  )
  const items = useMemo(() => (value ?? []).filter(({ pinId }) => !hidden.has(pinId)), [value, hidden])
  const hide = useMemo(
    () => (pinId: string) => {
      setHidden((last) => new Set([...last, pinId]))
    },
    [],
  )
  return (
    <div className="results">
      <header>
        <h1>{words}</h1>
        <p role="status">
          {value && value.length > 0 && `${value.length} pins, in your order · `}
          <Link href="/">Back to the feed</Link>
        </p>
      </header>
      {!hasWords && (
        <EmptyState title="There is no search by words here">
          Only the catalogue that ships has an index of words. Pins of this one are found by their id, under Pins.
        </EmptyState>
      )}
      {failure && !value && <ErrorState what="The search" failure={failure} retry={reload} />}
      {value?.length === 0 && (
        <EmptyState title={`Nothing is called “${words}”`}>
          Try a simpler word, or another language: titles and tags are searched in yours ({locale}).
        </EmptyState>
      )}
      {(isLoading || items.length > 0) && (
        <Pins label={`Results for ${words}`} items={items} pending={isLoading ? 18 : 0} onHidden={hide} />
      )}
    </div>
  )
}
