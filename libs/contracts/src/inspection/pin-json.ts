import { distinctUsers } from '@freshet/domain/features/distinct-users'
import { boardsOf } from '@freshet/domain/features/pin-boards'
import type { Pin } from '@freshet/domain/pin'
import type { PinState } from '@freshet/domain/pin-state'
import { pinToJson } from '../json/pin.ts'
import { countsJson, isoTime } from './user-json.ts'

/** Everything known about a pin, as JSON for people. `pin`: null where the catalogue has none, undefined where this process does not know the catalogue; `state`: null where nobody has engaged with it. */
export function pinJson(
  pinId: string,
  { pin, state }: { readonly pin: Pin | null | undefined; readonly state: PinState | null },
  atMs: number,
): Readonly<Record<string, unknown>> {
  return {
    pinId,
    asOf: isoTime(atMs),
    ...(pin === undefined ? {} : { catalogue: pin === null ? null : pinToJson({ kind: 'upsert', pin }) }),
    engagements:
      state === null
        ? null
        : {
            firstAt: isoTime(state.firstAtMs),
            lastAt: isoTime(state.lastAtMs),
            counts: countsJson(state.counters, atMs),
            users: Math.round(distinctUsers(state.users)),
            boards: boardsOf(state.boards),
          },
  }
}
