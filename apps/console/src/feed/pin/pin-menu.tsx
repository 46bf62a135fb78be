import type { FeedItem } from '@freshet/client/browser'
import { useEffect, useRef, useState, type KeyboardEvent } from 'react'
import { IconButton } from '../../ui/button.tsx'
import { Icon, type IconName } from '../../ui/icon.tsx'
import { useCards } from '../home-context.tsx'
import { usePerson } from '../person/person-context.tsx'
import { useActions } from '../use-actions.tsx'
import { readable } from '../cards.ts'
import type { CardCalls } from './calls.ts'
import './pin-menu.css'

/** What else can be done with a pin. */
export function PinMenu({
  pin,
  tabIndex,
  calls,
}: {
  readonly pin: FeedItem
  readonly tabIndex: number
  readonly calls: CardCalls
}) {
  const [isOpen, setIsOpen] = useState(false)
  const cards = useCards()
  return (
    <span className="pin-menu">
      <IconButton
        label={`More about ${cards.titleOf(pin.pinId)}`}
        tabIndex={tabIndex}
        aria-haspopup="menu"
        aria-expanded={isOpen}
        onClick={() => {
          setIsOpen(!isOpen)
        }}
      >
        <Icon name="more" />
      </IconButton>
      {isOpen && (
        <Menu
          pin={pin}
          calls={calls}
          close={() => {
            setIsOpen(false)
          }}
        />
      )}
    </span>
  )
}

function Menu({
  pin,
  calls,
  close,
}: {
  readonly pin: FeedItem
  readonly calls: CardCalls
  readonly close: () => void
}) {
  const ref = useRef<HTMLDivElement>(null)
  const actions = useActions()
  const { memory } = usePerson()
  const cards = useCards()
  const card = cards.get(pin.pinId)
  useEffect(() => {
    const menu = ref.current!
    const opener = menu.parentElement?.querySelector('button')
    menu.showPopover()
    const box = opener!.getBoundingClientRect()
    const left = Math.max(8, Math.min(box.right - menu.offsetWidth, innerWidth - menu.offsetWidth - 8))
    const hasRoom = box.bottom + menu.offsetHeight + 12 < innerHeight
    menu.style.left = `${left}px`
    menu.style.top = `${hasRoom ? box.bottom + 6 : Math.max(8, box.top - menu.offsetHeight - 6)}px`
    menu.querySelector('button')?.focus()
    return () => {
      if (opener?.isConnected) opener.focus()
    }
  }, [])

  const topic = card?.topics[0]
  const creator = card?.creatorId
  const entries: readonly { name: string; icon: IconName; run: () => void }[] = [
    {
      name: 'Why this pin',
      icon: 'why' as const,
      run: () => {
        calls.onWhy(pin)
      },
    },
    {
      name: 'Hide',
      icon: 'hide' as const,
      run: () => {
        calls.onHide(pin)
      },
    },
    {
      name: 'Not interested',
      icon: 'close' as const,
      run: () => {
        actions.dismiss(pin)
      },
    },
    ...[['topics', topic] as const, ['creators', creator] as const].flatMap(([kind, id]) => {
      if (!id) return []
      const follows = memory[kind].includes(id)
      const called = kind === 'topics' ? cards.topicOf(id) : readable(id)
      const name = `${follows ? 'Unfollow' : 'Follow'} ${called}`
      return [
        {
          name,
          icon: 'plus' as const,
          run: () => {
            actions.follow(kind, id, called, !follows)
          },
        },
      ]
    }),
  ]
  const press = (event: KeyboardEvent): void => {
    const buttons = [...ref.current!.querySelectorAll('button')]
    const at = buttons.indexOf(document.activeElement as HTMLButtonElement)
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (step !== undefined) buttons[(at + step + buttons.length) % buttons.length]?.focus()
    else if (event.key === 'Escape' || event.key === 'Tab') close()
    else return
    event.preventDefault()
    event.stopPropagation()
  }
  return (
    <div
      ref={ref}
      popover="auto"
      role="menu"
      aria-label="Pin"
      className="menu"
      onKeyDown={press}
      onToggle={(event) => {
        if (event.newState === 'closed') close()
      }}
    >
      {entries.map(({ name, icon, run }) => (
        <button
          key={name}
          type="button"
          role="menuitem"
          onClick={() => {
            close()
            run()
          }}
        >
          <Icon name={icon} />
          {name}
        </button>
      ))}
    </div>
  )
}
