import type { FeedItem } from '@freshet/client/browser'
import { useMemo, useRef } from 'react'
import { describeBoard } from '../api/boards.ts'
import { useConfig } from '../api/config-context.tsx'
import { awaitFeatures } from '../api/demo.ts'
import { elapsedMs, newId, nowMs } from '../api/browser.ts'
import { useToast } from '../ui/toast.tsx'
import { useHome } from './home-context.tsx'
import { withFollow, withoutSave, withSave, type Board } from './person/memory.ts'
import { usePerson } from './person/person-context.tsx'

/** What a person can do with pins. Each action is sent, measured, and changes what comes next. */
export interface Actions {
  readonly save: (pin: FeedItem, board: Board) => void
  readonly unsave: (pin: FeedItem) => void
  readonly open: (pin: FeedItem) => void
  /** The person goes from the closeup to what the pin links to. */
  readonly click: (pin: FeedItem) => void
  readonly hide: (pin: FeedItem) => void
  readonly dismiss: (pin: FeedItem) => void
  readonly follow: (kind: 'creators' | 'topics', id: string, name: string, follows: boolean) => void
}

/** The actions of the person on this page. */
export function useActions(): Actions {
  const { client, userId, memory, remember } = usePerson()
  const saves = useRef(memory.saves)
  saves.current = memory.saves
  const boards = useRef(memory.boards)
  boards.current = memory.boards
  // With keys, a person of the page may not write to the catalogue.
  const isOpen = useConfig().value?.open === true
  const { store, cards, freshness, below } = useHome()
  const toast = useToast()
  return useMemo(() => {
    /** Sends what was tracked at once, and brings the part of the feed that nobody has seen up to date. */
    const pass = async (action: string, track: () => Promise<string>): Promise<void> => {
      const id = newId()
      const startMs = elapsedMs()
      freshness.begin(id, action)
      const before = client.counts().accepted
      await track()
      await client.flush()
      const token = client.tokenOf(userId)
      if (token === null || client.counts().accepted === before) {
        freshness.note(id, { hasFailed: true })
        return
      }
      freshness.note(id, { token, acceptedMs: elapsedMs() - startMs })
      void awaitFeatures(userId, token)
        .then((isReflected) => {
          if (isReflected) freshness.note(id, { featureMs: elapsedMs() - startMs })
        })
        // The line leaves the figure out.
        .catch(() => undefined)
      const page = await store.refreshFrom(below.current?.() ?? store.read().items.length)
      freshness.note(id, page ? { feedMs: elapsedMs() - startMs } : { hasFailed: true })
    }
    const titled = (pinId: string): string => cards.titleOf(pinId) || 'this pin'

    const unsave = (pin: FeedItem): void => {
      const boardId = saves.current.find(({ pinId }) => pinId === pin.pinId)?.boardId
      remember((last) => withoutSave(last, pin.pinId))
      void pass('unsave', () => client.unsave(pin, { ...(boardId !== undefined && { boardId }) }))
    }
    return {
      save(pin, { boardId, name }) {
        const card = cards.get(pin.pinId)
        remember((last) =>
          withSave(last, {
            ...{ pinId: pin.pinId, boardId, title: titled(pin.pinId), topics: card?.topics ?? [] },
            ...{ creatorId: card?.creatorId ?? '', atMs: nowMs() },
          }),
        )
        if (isOpen && !boards.current.some((known) => known.boardId === boardId))
          void describeBoard({ boardId, ownerId: userId, title: name })
        void pass('save', () => client.save(pin, { boardId }))
        toast({
          message: `Saved to ${name}`,
          action: {
            name: 'Undo',
            run: () => {
              remember((last) => withoutSave(last, pin.pinId))
              void pass('unsave', () => client.unsave(pin, { boardId }))
            },
          },
        })
      },
      unsave,
      open(pin) {
        void pass('closeup', () => client.closeup(pin))
      },
      click(pin) {
        void pass('click', () => client.click(pin))
      },
      hide(pin) {
        const title = titled(pin.pinId)
        const putBack = store.remove(pin.pinId)
        void pass('hide', () => client.hide(pin))
        toast({
          message: `Hidden: ${title}`,
          action: {
            name: 'Undo',
            run: () => {
              putBack()
              void pass('unhide', () => client.unhide(pin))
            },
          },
        })
      },
      dismiss(pin) {
        const title = titled(pin.pinId)
        store.remove(pin.pinId)
        void pass('dismiss', () => client.dismiss(pin))
        toast({ message: `You will see fewer pins like ${title}` })
      },
      follow(kind, id, name, follows) {
        const subject = kind === 'creators' ? { creatorId: id } : { topicId: id }
        const apply = (isFollowed: boolean): void => {
          remember((last) => withFollow(last, kind, id, isFollowed))
          if (isFollowed) void pass('follow', () => client.follow(subject))
          else void pass('unfollow', () => client.unfollow(subject))
        }
        apply(follows)
        toast({
          message: follows ? `You follow ${name}` : `You no longer follow ${name}`,
          action: {
            name: 'Undo',
            run: () => {
              apply(!follows)
            },
          },
        })
      },
    }
  }, [client, userId, isOpen, remember, store, cards, freshness, below, toast])
}
