import type { FeedItem } from '@freshet/client/browser'
import { useEffect, useMemo, useRef, useState } from 'react'
import { Link, useLocation } from 'wouter'
import { useConfig } from '../../api/config-context.tsx'
import { embedCrop, type Box } from '../../api/demo.ts'
import { useResource } from '../../api/use-resource.ts'
import { Button, IconButton } from '../../ui/button.tsx'
import { Icon } from '../../ui/icon.tsx'
import { EmptyState, ErrorState } from '../../ui/states.tsx'
import { WhyPanel } from '../../why/why-panel.tsx'
import { noted, useCards, useHome } from '../home-context.tsx'
import { usePerson } from '../person/person-context.tsx'
import { appearanceOf } from '../pin/appearance.ts'
import { readable } from '../cards.ts'
import { Picture } from '../pin/picture.tsx'
import { SaveButton } from '../pin/save-button.tsx'
import { Pins } from '../pins.tsx'
import { useActions } from '../use-actions.tsx'
import { CropTool } from './crop-tool.tsx'
import './closeup.css'

const relatedSize = 50
const similarSize = 40

/** An opened pin above the feed, with related pins and a search by a part of its picture. */
export function Closeup({ pinId }: { readonly pinId: string }) {
  const ref = useRef<HTMLElement>(null)
  const [, navigate] = useLocation()
  const { cards, shown } = useHome()
  const titles = useCards()
  const pin = useMemo((): FeedItem => shown.get(pinId) ?? unplaced(pinId), [shown, pinId])
  const [box, setBox] = useState<Box | null>(null)
  useEffect(() => {
    const before = document.activeElement as HTMLElement | null
    const press = (event: KeyboardEvent): void => {
      if (event.key === 'Escape' && !event.defaultPrevented && !document.querySelector('dialog[open], :popover-open'))
        navigate('/')
    }
    document.addEventListener('keydown', press)
    document.documentElement.classList.add('is-covered')
    return () => {
      document.removeEventListener('keydown', press)
      document.documentElement.classList.remove('is-covered')
      // The feed is inert until this is gone.
      requestAnimationFrame(() => {
        before?.focus({ preventScroll: true })
      })
    }
  }, [navigate])
  useEffect(() => {
    cards.want([pinId])
    setBox(null)
    ref.current!.scrollTo({ top: 0 })
    ref.current!.focus({ preventScroll: true })
  }, [cards, pinId])
  const title = titles.titleOf(pinId) || pinId
  // A feed may show pins that the catalogue does not list.
  const isMissing = titles.isUnknown(pinId) && !shown.has(pinId)
  return (
    <section ref={ref} className="closeup" aria-label={title} data-scroller tabIndex={-1}>
      <IconButton
        label="Back to the feed"
        className="closeup-back"
        onClick={() => {
          navigate('/')
        }}
      >
        <Icon name="back" />
      </IconButton>
      {isMissing ? (
        <EmptyState title="There is no such pin" action={<Link href="/">Go to the feed</Link>}>
          {`Nothing in the catalogue has the id ${pinId.slice(0, 80)}. It may have been deleted.`}
        </EmptyState>
      ) : (
        <Opened key={pinId} pin={pin} title={title} onCrop={setBox} />
      )}
      {isMissing ? null : box ? (
        <Similar
          pinId={pinId}
          box={box}
          onClear={() => {
            setBox(null)
          }}
        />
      ) : (
        <Related pin={pin} title={title} />
      )}
    </section>
  )
}

function unplaced(pinId: string): FeedItem {
  return { pinId, position: 0, utility: 0, sources: [], seenAgain: false }
}

function Opened({
  pin,
  title,
  onCrop,
}: {
  readonly pin: FeedItem
  readonly title: string
  readonly onCrop: (box: Box | null) => void
}) {
  const { pinId } = pin
  const cards = useCards()
  const card = cards.get(pinId)
  const { memory } = usePerson()
  const config = useConfig().value
  const actions = useActions()
  const [, navigate] = useLocation()
  const [isCropping, setIsCropping] = useState(false)
  const [isAsking, setIsAsking] = useState(false)
  const author = config?.attributions.find(({ style }) => style === card?.creatorId)
  const follows = (kind: 'creators' | 'topics', id: string): boolean => memory[kind].includes(id)
  return (
    <article className="opened">
      <div className="opened-picture" style={{ aspectRatio: Math.max(0.8, appearanceOf(pinId).aspect) }}>
        <Picture pinId={pinId} card={card} title={title} isLarge />
        {isCropping && (
          <CropTool
            onSearch={onCrop}
            onClose={() => {
              setIsCropping(false)
              onCrop(null)
            }}
          />
        )}
        {config?.capabilities.crops && !isCropping && (
          <Button
            className="opened-crop"
            icon={<Icon name="crop" />}
            onClick={() => {
              setIsCropping(true)
            }}
          >
            Search a part
          </Button>
        )}
      </div>
      <div className="opened-words">
        <div className="opened-bar">
          <IconButton
            label="Why this pin"
            onClick={() => {
              setIsAsking(true)
            }}
          >
            <Icon name="why" />
          </IconButton>
          <IconButton
            label="Hide"
            onClick={() => {
              actions.hide(pin)
              navigate('/')
            }}
          >
            <Icon name="hide" />
          </IconButton>
          <SaveButton pin={pin} />
        </div>
        <h1>{title}</h1>
        {card?.description && <p className="opened-about">{card.description}</p>}
        <div className="opened-follow">
          {(card?.topics ?? []).map((topic) => (
            <Button
              key={topic}
              size="s"
              aria-pressed={follows('topics', topic)}
              icon={<Icon name={follows('topics', topic) ? 'check' : 'plus'} />}
              onClick={() => {
                actions.follow('topics', topic, cards.topicOf(topic), !follows('topics', topic))
              }}
            >
              {cards.topicOf(topic)}
            </Button>
          ))}
        </div>
        {card?.creatorId && (
          <div className="opened-creator">
            <span className="avatar" aria-hidden="true">
              {readable(card.creatorId).charAt(0)}
            </span>
            <div>
              <b>{author?.name ?? readable(card.creatorId)}</b>
              {author && (
                <small>
                  {author.authors} ·{' '}
                  <a
                    href={author.url}
                    target="_blank"
                    rel="noreferrer"
                    onClick={() => {
                      actions.click(pin)
                    }}
                  >
                    {author.license}
                  </a>
                </small>
              )}
            </div>
            <Button
              size="s"
              look={follows('creators', card.creatorId) ? 'plain' : 'solid'}
              aria-pressed={follows('creators', card.creatorId)}
              onClick={() => {
                const name = author?.name ?? readable(card.creatorId)
                actions.follow('creators', card.creatorId, name, !follows('creators', card.creatorId))
              }}
            >
              {follows('creators', card.creatorId) ? 'Following' : 'Follow'}
            </Button>
          </div>
        )}
      </div>
      {isAsking && (
        <WhyPanel
          pin={pin}
          onClose={() => {
            setIsAsking(false)
          }}
        />
      )}
    </article>
  )
}

function Related({ pin, title }: { readonly pin: FeedItem; readonly title: string }) {
  const { client, locale } = usePerson()
  const { shown } = useHome()
  const { value, failure, isLoading, reload } = useResource(`${client.userId()} ${pin.pinId}`, async (signal) =>
    noted(await client.related(pin.pinId, { pageSize: relatedSize, locale, signal }), shown),
  )
  return (
    <section className="closeup-more" aria-label="Related pins">
      <h2>More like this</h2>
      {failure && !value && <ErrorState what="Related pins" failure={failure} retry={reload} />}
      {value?.items.length === 0 && (
        <EmptyState title="Nothing related yet">Nobody acted on {title} so far.</EmptyState>
      )}
      {(isLoading || (value && value.items.length > 0)) && (
        <Removable label="Related pins" items={value?.items ?? []} pending={isLoading ? 12 : 0} />
      )}
    </section>
  )
}

function Similar({ pinId, box, onClear }: { readonly pinId: string; readonly box: Box; readonly onClear: () => void }) {
  const { client, locale } = usePerson()
  const { value, failure, isLoading, reload } = useResource(`${pinId} ${JSON.stringify(box)}`, async (signal) => {
    const embedding = await embedCrop(pinId, box, signal)
    const isBlank = embedding.every((number) => number === 0)
    if (isBlank) return { isBlank, items: [] }
    return { isBlank, items: (await client.search({ embedding, pageSize: similarSize, locale, signal })).items }
  })
  return (
    <section className="closeup-more" aria-label="Pins that look like this part">
      <div className="closeup-head">
        <h2>Looks like this part</h2>
        <Button size="s" onClick={onClear}>
          Show related pins
        </Button>
      </div>
      {failure && !value && <ErrorState what="The search" failure={failure} retry={reload} />}
      {value?.items.length === 0 && (
        <EmptyState title={value.isBlank ? 'Nothing is drawn there' : 'Nothing looks like this'}>
          Mark another part.
        </EmptyState>
      )}
      {(isLoading || (value && value.items.length > 0)) && (
        <Removable label="Similar pins" items={value?.items ?? []} pending={isLoading ? 12 : 0} />
      )}
    </section>
  )
}

/** A masonry from which hidden pins disappear. */
function Removable({
  label,
  items,
  pending,
}: {
  readonly label: string
  readonly items: readonly FeedItem[]
  readonly pending: number
}) {
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set())
  const left = useMemo(() => items.filter(({ pinId }) => !hidden.has(pinId)), [items, hidden])
  const hide = useMemo(
    () => (pinId: string) => {
      setHidden((last) => new Set([...last, pinId]))
    },
    [],
  )
  return <Pins label={label} items={left} pending={pending} onHidden={hide} />
}
