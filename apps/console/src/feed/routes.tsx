import { useLocation, useRoute } from 'wouter'
import { NotFound } from '../shell/not-found.tsx'
import { Closeup } from './closeup/closeup.tsx'
import { FreshnessLine } from './freshness/freshness-line.tsx'
import { FeedPage } from './page.tsx'
import { SearchPage } from './search/search-page.tsx'

/** The feed side. The feed stays as it is under an opened pin. */
export function FeedRoutes() {
  const [isSearch] = useRoute('/search')
  const [isOpen, opened] = useRoute('/pin/:pinId')
  const [path] = useLocation()
  if (path !== '/' && !isSearch && !isOpen) return <NotFound />
  return (
    <>
      <div inert={isOpen}>{isSearch ? <SearchPage /> : <FeedPage />}</div>
      {isOpen && <Closeup pinId={opened.pinId} />}
      <FreshnessLine />
    </>
  )
}
