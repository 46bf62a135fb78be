import type { Pin } from '../pin.ts'
import type { PinState } from '../pin-state.ts'
import type { UserState } from '../user-state.ts'
import { hours, scalarOver, type Feature } from './feature.ts'
import { sessionCount } from './sessions.ts'

/** What these features read of a page. */
interface AgePage {
  readonly user: Pick<UserState, 'firstAtMs' | 'lastAtMs' | 'sessions'> | null
  readonly pins: readonly (Pick<PinState, 'firstAtMs' | 'lastAtMs'> | null)[]
  readonly pinMetas: readonly (Pick<Pin, 'createdAtMs'> | null)[]
  readonly atMs: number
}

const scalar = scalarOver<AgePage>()

/** Age and activity: the pin's age (from the catalogue, else from its first engagement) and the time since the pin's and the user's last engagement. */
export const ageFeatures: readonly Feature<AgePage>[] = [
  scalar({
    name: 'pin_age',
    unit: 'hours',
    missing: 0,
    needs: [],
    column: ({ pins, pinMetas, atMs }, out) => {
      for (let row = 0; row < pins.length; row++) {
        const bornAtMs = pinMetas[row]?.createdAtMs ?? pins[row]?.firstAtMs ?? null
        out[row] = bornAtMs === null ? 0 : hours(atMs - bornAtMs)
      }
    },
  }),
  scalar({
    name: 'pin_silence',
    unit: 'hours since the last engagement',
    missing: 8760,
    needs: ['pin'],
    column: ({ pins, atMs }, out) => {
      for (let row = 0; row < pins.length; row++) {
        const pin = pins[row]!
        out[row] = pin === null ? NaN : hours(atMs - pin.lastAtMs)
      }
    },
  }),
  scalar({
    name: 'user_age',
    unit: 'hours since the first engagement',
    missing: 0,
    needs: ['user'],
    value: ({ user, atMs }) => hours(atMs - user.firstAtMs),
  }),
  scalar({
    name: 'user_silence',
    unit: 'hours since the last engagement',
    missing: 8760,
    needs: ['user'],
    value: ({ user, atMs }) => hours(atMs - user.lastAtMs),
  }),
  scalar({
    name: 'user_sessions',
    unit: 'sessions',
    missing: 0,
    needs: ['user'],
    value: ({ user }) => sessionCount(user.sessions),
  }),
]
