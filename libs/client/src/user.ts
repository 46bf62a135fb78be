import type { ClientEnvironment } from './environment.ts'
import { parsed } from './store.ts'

/** Who uses the client, and whether they allow it. */
export interface User {
  /** The known user, else an anonymous id, which is made and kept here. */
  id(): string
  /** The session; a new one after 30 minutes without an event. */
  session(): string
  read(): Kept
  /** Changes what is given; undefined forgets it. */
  update(change: Kept): void
  /** Forgets everything but the consent, which is kept in any case. */
  consent(given: boolean | undefined, isForgotten: boolean): void
  consents(): boolean
}

/** What is kept. */
interface Kept {
  readonly consent?: boolean | undefined
  readonly anonymous?: string | undefined
  /** The known user. */
  readonly user?: string | undefined
  /** The anonymous user whose merge into the known one is not in the queue yet. */
  readonly merging?: string | undefined
  readonly session?: string
  readonly activeMs?: number
  /** The token of the last accepted event, from any tab. */
  readonly token?: string | undefined
}

const sessionMs = 1_800_000
const activeStepMs = 60_000

/** Keeps the user in `environment.kept`. Without consent it keeps nothing, and the ids last as long as the page. */
export function createUser(name: string, isAssumed: boolean, { now, newEventId, kept }: ClientEnvironment): User {
  const text = kept(`freshet.${name}`)
  let passing: Kept = {}
  let last: string | null = null
  let value: Kept = {}
  const stored = (): Kept => {
    const current = text.get()
    if (current !== last) value = parsed(current) ?? {}
    last = current
    return value
  }
  const consents = (): boolean => stored().consent ?? isAssumed
  // Each time from the text: another tab may have changed it.
  const read = (): Kept => (consents() ? stored() : passing)
  const update = (change: Kept): void => {
    const changed = { ...read(), ...change }
    if (consents()) text.set(JSON.stringify(changed))
    else passing = changed
  }
  return {
    id() {
      const { user, anonymous = `anon-${newEventId()}` } = read()
      if (!user && !read().anonymous) update({ anonymous })
      return user ?? anonymous
    },
    session() {
      const { session: last, activeMs = 0 } = read()
      const idleMs = Math.abs(now() - activeMs)
      const session = (idleMs < sessionMs && last) || newEventId()
      if (idleMs > activeStepMs) update({ session, activeMs: now() })
      return session
    },
    read,
    update,
    consents,
    consent(consent, isForgotten) {
      text.set(JSON.stringify({ ...(!isForgotten && read()), consent }))
      passing = {}
    },
  }
}
