import { describe, expect, it } from 'vitest'
import { createPolicy, policyNames } from './policies.ts'
import type { WorldLine } from './protocol.ts'
import { defaultWorld } from './settings.ts'
import { playWorld, type Player } from './world.ts'

const small = { ...defaultWorld, users: 40, pins: 400, creators: 40, topics: 8, days: 3, driftDay: 2 }

/** A policy, and every line that the world wrote to it. */
function recorded(player: Player): { readonly player: Player; readonly lines: WorldLine[] } {
  const lines: WorldLine[] = []
  return {
    lines,
    player: {
      ...player,
      take(line) {
        lines.push(line)
        return player.take(line)
      },
      show(ask, truth) {
        lines.push({ ask })
        return player.show(ask, truth)
      },
    },
  }
}

describe('a world', () => {
  it('writes the same lines for the same seed and the same answers', async () => {
    const [first, second] = [recorded(createPolicy('simple', 1)), recorded(createPolicy('simple', 1))]
    await playWorld(small, first.player)
    await playWorld(small, second.player)
    expect(second.lines).toEqual(first.lines)
    expect(first.lines.length).toBeGreaterThan(1_000)
  })

  it('never goes back in time', async () => {
    const { player, lines } = recorded(createPolicy('random', 1))
    await playWorld(small, player)
    const times = lines.flatMap((line) =>
      'ask' in line
        ? [line.ask.at]
        : 'engagement' in line
          ? [line.engagement.occurredAt]
          : 'tick' in line
            ? [line.tick.at]
            : [],
    )
    expect(times).toEqual(times.toSorted())
    expect(times.length).toBeGreaterThan(1_000)
  })

  it('separates its reference policies: random below the simple learner, which is below the best', async () => {
    const shares = new Map<string, number>()
    for (const name of policyNames) shares.set(name, (await playWorld(small, createPolicy(name, 1))).shareOfBest)
    expect(shares.get('simple')).toBeGreaterThan(1.3 * shares.get('random')!)
    expect(shares.get('simple')).toBeLessThan(0.8)
    expect(shares.get('best')).toBe(1)
  })

  it('refuses a page with a pin that it does not have, or with one pin twice', async () => {
    const show = (pinIds: readonly string[]): Player => ({
      ...createPolicy('random', 1),
      show: ({ id }) => ({ id, feedId: 'f', pinIds }),
    })
    await expect(playWorld(small, show(['elsewhere']))).rejects.toThrow('elsewhere')
    await expect(playWorld(small, show(['pin-1', 'pin-1']))).rejects.toThrow('twice')
  })
})
