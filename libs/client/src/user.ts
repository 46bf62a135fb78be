import type { ClientEnvironment } from './environment.ts'
import { parsed } from './store.ts'

/** Who uses the client, and whether they allow it. */
export interface User {
  /** The known user, else an anonymous id, which is made and kept here. */
  current(): string
  /** The session; a new one after 30 minutes without an event. */
  sessionNow(): string
  kept(): Kept
  /** Changes what is given; undefined forgets it. */
  update(change: Kept): Kept
  /** Keeps nothing but the consent (absent: as it was) and what is given. */
  renew(consent?: boolean, others?: Kept): void
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
  // Each time from the text: another tab may have changed it.
  const stored = (): Kept => parsed(text.get()) ?? {}
  const consents = (): boolean => stored().consent ?? isAssumed
  const read = (): Kept => (consents() ? stored() : passing)
  const write = (value: Kept): void => {
    text.set(JSON.stringify(value))
  }
  const update = (change: Kept): Kept => {
    const changed = { ...read(), ...change }
    if (consents()) write(changed)
    else passing = changed
    return changed
  }
  return {
    current() {
      const { user, anonymous } = read()
      return user ?? anonymous ?? update({ anonymous: `anon-${newEventId()}` }).anonymous!
    },
    sessionNow() {
      const { session: last, activeMs = 0 } = read()
      const idleMs = Math.abs(now() - activeMs)
      const session = (idleMs < sessionMs && last) || newEventId()
      if (idleMs > activeStepMs) update({ session, activeMs: now() })
      return session
    },
    kept: read,
    update,
    consents,
    renew(consent = stored().consent, others) {
      write({ ...others, consent })
      passing = {}
    },
  }
}
