import type { EventLog } from '@freshet/contracts/ports/event-log'
import { afterEach, describe, expect, it } from 'vitest'
import { updaterConfigOf } from './config.ts'
import { anUpdaterWorld, aRecord, type UpdaterWorld } from './testing.ts'
import { createUpdater } from './updater.ts'

let world: UpdaterWorld
afterEach(() => world.stop())

/** An updater on a log that can go away. */
async function onAwayLog(updater: Parameters<typeof updaterConfigOf>[0]) {
  world = await anUpdaterWorld({ start: false })
  const { log, store, clock } = world
  let isAway = false
  const away = <T>(work: () => Promise<T>): Promise<T> =>
    isAway ? Promise.reject(new Error('no broker answers')) : work()
  const shaky: EventLog = {
    ...log,
    ends: (topic) => away(() => log.ends(topic)),
    starts: (topic) => away(() => log.starts(topic)),
    identity: (topic) => away(() => log.identity(topic)),
    append: (topic, records) => away(() => log.append(topic, records)),
  }
  const canaries: string[] = []
  const tried = createUpdater({
    log: shaky,
    store,
    clock,
    config: updaterConfigOf(updater),
    onCanary: (family, _ms, isSeen) => canaries.push(`${family} ${isSeen ? 'seen' : 'missed'}`),
  })
  await tried.start()
  return { tried, canaries, goAway: (away: boolean) => (isAway = away) }
}

describe('A24 · what looks healthy is', () => {
  it('A24: with the log gone the updater is not ready after a while, and is again when it is back', async () => {
    const { tried, goAway } = await onAwayLog({ updater: { canaryEveryMs: 0, logCheckMs: 1_000 } })
    await world.clock.advance(30_000)
    expect(tried.notReady()).toBeNull()
    goAway(true)
    await world.clock.advance(9_000)
    expect(tried.notReady()).toBeNull()
    await world.clock.advance(10_000)
    expect(tried.notReady()).toMatch(/log or store have not answered for \d+ s: no broker answers/)
    goAway(false)
    await world.clock.advance(3_000)
    expect(tried.notReady()).toBeNull()
    await tried.stop()
  })

  it('A24: canaries that cannot be sent, or are not seen, are observed', async () => {
    const { tried, canaries, goAway } = await onAwayLog({ updater: { canaryEveryMs: 5_000, logCheckMs: 0 } })
    await world.log.append('engagements.v1', [aRecord()])
    await world.clock.advance(5_200)
    await world.clock.advance(1_000)
    expect(canaries).toContain('user seen')
    expect(canaries).toContain('pin seen')
    goAway(true)
    await world.clock.advance(6_000)
    expect(canaries).toContain('user missed')
    expect(canaries).toContain('pin missed')
    await tried.stop()
  })
})
