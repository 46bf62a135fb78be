import { encodePinFeatures, pinFoldVersion } from '@freshet/contracts/codecs/pin-state'
import { encodeUserState } from '@freshet/contracts/codecs/user-state'
import { userFoldVersion } from '@freshet/contracts/codecs/user-tail'
import { RankRequest } from '@freshet/contracts/gen/freshet/ranking/v1/ranking'
import { PinFeatures, PinState as PinStateMessage } from '@freshet/contracts/gen/freshet/state/v1/state'
import { noHeaders } from '@freshet/contracts/headers'
import { foldPin, newPinState, type PinState } from '@freshet/domain/pin-state'
import { anEngagement, noonMs } from '@freshet/domain/testing'
import { defaultUserLimits, foldUser, newUserState, type UserState } from '@freshet/domain/user-state'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'

/** The fold version of this code, and that of a synthetic release after it. */
type Release = 'present' | 'next'

const services = ['updater', 'blender', 'ranker'] as const
type Service = (typeof services)[number]

/** The rules of the synthetic release differ: it counts each click twice. */
const clicks = (release: Release) => Array.from({ length: release === 'next' ? 2 : 1 }, () => anEngagement())
const userFor = (release: Release): UserState => foldUser(newUserState, clicks(release))
const pinFor = (release: Release): PinState => foldPin(newPinState, clicks(release))

/** The stored value of a user, as the updater of a release writes it. */
function writeUser(release: Release): Uint8Array {
  return encodeUserState(userFor(release), defaultUserLimits, userFoldVersion + Number(release === 'next'))
}

/** The record of `pin-features.v1` that the updater of a release sends. */
function writePin(release: Release): Uint8Array {
  const { features } = encodePinFeatures('p', pinFor(release), 1)
  if (release === 'present') return features
  const foldVersion = pinFoldVersion + 1
  const message = PinFeatures.decode(features)
  const state = PinStateMessage.encode({ ...PinStateMessage.decode(message.state), foldVersion }).finish()
  return PinFeatures.encode({ ...message, state, foldVersion }).finish()
}

/** The readers of a release: each release loads the modules of its own. The synthetic one knows one fold version more. */
async function loadReaders(release: Release) {
  vi.resetModules()
  if (release === 'next') {
    vi.doMock(import('@freshet/contracts/codecs/newer'), async (original) => {
      const { refuseNewer } = await original()
      return {
        refuseNewer: (message, what, found, known) => {
          refuseNewer(message, what, found, what === 'fold' ? known + 1 : known)
        },
      }
    })
  }
  const { createRankerViews } = await import('@freshet/ranker/views')
  const { parseCandidates } = await import('@freshet/ranker/rank-request')
  const { createUserMemory } = await import('@freshet/blender/user-memory')
  const { decodedUserState } = await import('@freshet/contracts/codecs/decoded-user-state')
  vi.doUnmock('@freshet/contracts/codecs/newer')
  return { createRankerViews, parseCandidates, createUserMemory, decodedUserState }
}
type Readers = Awaited<ReturnType<typeof loadReaders>>

let readers: Readonly<Record<Release, Readers>>
beforeAll(async () => {
  readers = { present: await loadReaders('present'), next: await loadReaders('next') }
})
afterAll(() => {
  vi.resetModules()
})

const upgradeOrders = services.flatMap((first) =>
  services
    .filter((second) => second !== first)
    .map((second) => [first, second, ...services.filter((third) => third !== first && third !== second)] as const),
)
const steps = upgradeOrders.flatMap((order) =>
  [0, 1, 2, 3].map((upgraded) => ({
    order: order.join(', '),
    upgraded,
    done: new Set<Service>(order.slice(0, upgraded)),
  })),
)

describe.each(steps)('an update in the order $order, after $upgraded services', ({ done }) => {
  const releaseOf = (service: Service): Release => (done.has(service) ? 'next' : 'present')
  // Values from before the update of the updater stay in the store and in the log.
  const written: readonly Release[] = done.has('updater') ? ['present', 'next'] : ['present']
  const canRead = (service: Service, writer: Release) => releaseOf(service) === 'next' || writer === 'present'

  it.each(written)(
    'the ranker reads the features of a pin as the %s updater folded them, or as missing and counted',
    (writer) => {
      const views = readers[releaseOf('ranker')].createRankerViews({ maxPins: 1, maxDecodedStates: 1 })
      const record = { position: 0, key: 'p', value: writePin(writer), appendedAtMs: noonMs, headers: noHeaders }
      views.fold({ topic: 'pin-features.v1', partition: 0, from: 0, next: 1, end: 1, records: [record] })
      const isRead = canRead('ranker', writer)
      expect(views.stateOf('p')).toEqual(isRead ? pinFor(writer) : null)
      expect(views.stats().rejected).toEqual(isRead ? {} : { CODEC_NEWER: 1 })
    },
  )

  it.each(written)('the ranker reads a user as the %s updater folded them, or refuses the request', (writer) => {
    const request = RankRequest.fromPartial({ atMs: noonMs, userState: writeUser(writer) })
    const parse = () => readers[releaseOf('ranker')].parseCandidates(request, 1).user
    if (canRead('ranker', writer)) expect(parse()).toEqual(userFor(writer))
    else expect(parse).toThrow(/^user_state cannot be decoded .*has fold 2/)
  })

  it.each(written)(
    'the blender reads a user as the %s updater folded them, or fails its stage with CODEC_NEWER',
    (writer) => {
      const { createUserMemory, decodedUserState } = readers[releaseOf('blender')]
      const memory = createUserMemory({ maxUsers: 1 })
      const bytes = writeUser(writer)
      if (canRead('blender', writer)) {
        expect(memory.learn('u', bytes).foldVersion).toBe(writer === 'next' ? userFoldVersion + 1 : userFoldVersion)
        expect(decodedUserState(bytes)).toEqual(userFor(writer))
        return
      }
      expect(() => memory.learn('u', bytes)).toThrow(expect.objectContaining({ code: 'CODEC_NEWER' }) as Error)
      expect(memory.known('u')).toBeNull()
    },
  )
})
