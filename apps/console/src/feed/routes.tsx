import { useRoute } from 'wouter'
import { Closeup } from './closeup/closeup.tsx'
import { FreshnessLine } from './freshness/freshness-line.tsx'
import { FeedPage } from './page.tsx'
import { SearchPage } from './search/search-page.tsx'

/** The feed side. The feed stays as it is under an opened pin. */
export function FeedRoutes() {
  const [isSearch] = useRoute('/search')
  const [isOpen, opened] = useRoute('/pin/:pinId')
  return (
    <>
      <div inert={isOpen}>{isSearch ? <SearchPage /> : <FeedPage />}</div>
      {isOpen && <Closeup pinId={opened.pinId} />}
      <FreshnessLine />
    </>
  )
}
