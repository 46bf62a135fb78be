import { createFreshet, type Freshet } from '@freshet/client/browser'
import {
  createContext,
  useCallback,
  useContext,
  useEffect,
  useMemo,
  useState,
  useSyncExternalStore,
  type ReactNode,
} from 'react'
import { eventsPath, feedsPath } from '../../api/blender.ts'
import { newId, readStored, writeStored } from '../../api/browser.ts'
import { useConfig } from '../../api/config-context.tsx'
import { adminKey, onAdminKey } from '../../api/http.ts'
import { emptyMemory, parseMemory, type Memory } from './memory.ts'

/** Who looks at the page, and in which language. */
export interface Person {
  readonly userId: string
  readonly name: string
  readonly likes: readonly string[]
  /** Empty: the catalogue names no languages, and every pin fits. */
  readonly locale: string
  readonly client: Freshet
  readonly memory: Memory
  readonly remember: (change: (memory: Memory) => Memory) => void
  readonly switchTo: (userId: string) => void
  /** Becomes a user of whom nothing is known. */
  readonly becomeNew: () => void
  readonly speak: (locale: string) => void
}

const PersonContext = createContext<Person | null>(null)

/** Who looks at the page. Only below `PersonProvider`. */
export function usePerson(): Person {
  return useContext(PersonContext)!
}

const userKey = 'freshet.user'
const localeKey = 'freshet.locale'
const memoryKey = (userId: string): string => `freshet.memory.${userId}`

/** Holds who looks at the page: the client of the SDK, and what this browser remembers of the user. */
export function PersonProvider({ children }: { readonly children: ReactNode }) {
  const config = useConfig().value
  const [userId, setUserId] = useState(() => readStored('local', userKey) ?? newUserId())
  const [locale, setLocale] = useState(() => readStored('local', localeKey) ?? '')
  const [memory, setMemory] = useState(() => parseMemory(readStored('local', memoryKey(userId))))
  const known = config?.users.find((user) => user.userId === userId)
  const locales = config?.locales ?? []
  const chosen = locales.length === 0 ? '' : locale
  const spoken = chosen || known?.locale || closest(navigator.languages, locales) || (locales.length === 0 ? '' : 'en')

  const key = useSyncExternalStore(onAdminKey, adminKey)
  const client = useMemo(() => clientOf(userId, key), [userId, key])
  useEffect(
    () => () => {
      void client.close()
    },
    [client],
  )
  useEffect(() => {
    writeStored('local', userKey, userId)
    setMemory(parseMemory(readStored('local', memoryKey(userId))))
  }, [userId])
  useEffect(() => {
    const take = ({ key, newValue }: StorageEvent): void => {
      if (key === memoryKey(userId)) setMemory(parseMemory(newValue))
    }
    addEventListener('storage', take)
    return () => {
      removeEventListener('storage', take)
    }
  }, [userId])
  useEffect(() => {
    document.documentElement.lang = spoken || 'en'
  }, [spoken])

  const remember = useCallback(
    (change: (memory: Memory) => Memory) => {
      setMemory((last) => {
        // Another tab may have written since.
        const stored = readStored('local', memoryKey(userId))
        const next = change(stored === null ? last : parseMemory(stored))
        writeStored('local', memoryKey(userId), JSON.stringify(next))
        return next
      })
    },
    [userId],
  )
  const switchTo = useCallback((next: string) => {
    setMemory(emptyMemory)
    setUserId(next)
  }, [])
  const person = useMemo(
    (): Person => ({
      ...{ userId, client, memory, remember, switchTo, locale: spoken },
      name: known?.name ?? (userId.startsWith('new-') ? 'Someone new' : userId),
      likes: known?.likes ?? [],
      becomeNew: () => {
        switchTo(newUserId())
      },
      speak(next) {
        writeStored('local', localeKey, next)
        setLocale(next)
      },
    }),
    [userId, client, memory, remember, switchTo, spoken, known],
  )
  return <PersonContext value={person}>{children}</PersonContext>
}

function newUserId(): string {
  return `new-${newId().slice(0, 8)}`
}

function clientOf(userId: string, key: string | null): Freshet {
  return createFreshet({
    ...{ ingestUrl: location.origin + eventsPath, feedUrl: location.origin + feedsPath },
    ...{ name: `console.${userId}`, userId, client: { platform: 'web' }, initialRetryMs: 300, maxRetryMs: 5_000 },
    ...(key !== null && { writeKey: key }),
  })
}

/** The first language of the person that the catalogue has. */
function closest(wanted: readonly string[], offered: readonly string[]): string | undefined {
  for (const tag of wanted) {
    const found = offered.find((locale) => locale === tag) ?? offered.find((locale) => locale === tag.split('-')[0])
    if (found !== undefined) return found
  }
  return undefined
}
