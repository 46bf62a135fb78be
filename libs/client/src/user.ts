import type { ClientEnvironment } from './environment.ts'
import { parsed } from './store.ts'

/** Who uses the client, and whether they allow it. */
export interface User {
  /** The known user, else an anonymous id, which is made and kept here. */
  id(): string
  /** The session; a new one after 30 minutes without an event. */
  session(): string
  read(): Kept
  /** Replaces everything. */
  write(kept: Kept): void
  consents(): boolean
  consent(given: boolean): void
}

/** What is kept. */
interface Kept {
  readonly consent?: boolean | undefined
  readonly anonymous?: string
  /** The known user. */
  readonly user?: string
  /** The anonymous user whose merge into the known one is not in the queue yet. */
  readonly merging?: string
  readonly session?: string
  readonly activeMs?: number
  /** The token of the last accepted event, from any tab. */
  readonly token?: string
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
    const now = text.get()
    if (now !== last) value = parsed(now) ?? {}
    last = now
    return value
  }
  const consents = (): boolean => stored().consent ?? isAssumed
  // Each time from the text: another tab may have changed it.
  const read = (): Kept => (consents() ? stored() : passing)
  const write = (changed: Kept): void => {
    if (consents()) text.set(JSON.stringify(changed))
    else passing = changed
  }
  return {
    id() {
      const old = read()
      const anonymous = old.anonymous ?? `anon-${newEventId()}`
      if (!old.user && !old.anonymous) write({ ...old, anonymous })
      return old.user ?? anonymous
    },
    session() {
      const old = read()
      const idleMs = Math.abs(now() - (old.activeMs ?? 0))
      const session = idleMs < sessionMs && old.session ? old.session : newEventId()
      if (idleMs > activeStepMs) write({ ...old, session, activeMs: now() })
      return session
    },
    read,
    write,
    consents,
    consent(given) {
      text.set(JSON.stringify({ ...(given && read()), consent: given }))
      passing = {}
    },
  }
}
