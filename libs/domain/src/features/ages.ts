import type { Pin } from '../pin.ts'
import type { PinState } from '../pin-state.ts'
import type { UserState } from '../user-state.ts'
import { hours, scalarOver, type Feature } from './feature.ts'
import { sessionCount } from './sessions.ts'

/** The context of these features. */
interface AgeContext {
  readonly user: Pick<UserState, 'firstAtMs' | 'lastAtMs' | 'sessions'> | null
  readonly pin: { readonly state: Pick<PinState, 'firstAtMs' | 'lastAtMs'> } | null
  readonly pinMeta: Pick<Pin, 'createdAtMs'> | null
  readonly atMs: number
}

const scalar = scalarOver<AgeContext>()

/** Age and activity: the pin's age (from the catalogue, else from its first engagement) and the time since the pin's and the user's last engagement. */
export const ageFeatures: readonly Feature<AgeContext>[] = [
  scalar({
    name: 'pin_age',
    unit: 'hours',
    missing: 0,
    needs: [],
    value: ({ pin, pinMeta, atMs }) => {
      const bornAtMs = pinMeta?.createdAtMs ?? pin?.state.firstAtMs ?? null
      return bornAtMs === null ? 0 : hours(atMs - bornAtMs)
    },
  }),
  scalar({
    name: 'pin_silence',
    unit: 'hours since the last engagement',
    missing: 8760,
    needs: ['pin'],
    value: ({ pin, atMs }) => hours(atMs - pin.state.lastAtMs),
  }),
  scalar({
    name: 'user_age',
    unit: 'hours since the first engagement',
    missing: 0,
    needs: ['user'],
    of: 'request',
    value: ({ user, atMs }) => hours(atMs - user.firstAtMs),
  }),
  scalar({
    name: 'user_silence',
    unit: 'hours since the last engagement',
    missing: 8760,
    needs: ['user'],
    of: 'request',
    value: ({ user, atMs }) => hours(atMs - user.lastAtMs),
  }),
  scalar({
    name: 'user_sessions',
    unit: 'sessions',
    missing: 0,
    needs: ['user'],
    of: 'request',
    value: ({ user }) => sessionCount(user.sessions),
  }),
]
