import { createHash } from 'node:crypto'
import { blenderSchema } from '@freshet/blender/config'
import { act } from './acting.ts'
import { ask, request } from './asking.ts'
import type { Answered, Asked, Case } from './case.ts'
import { candidatesOf, offeredLocales } from './choosable.ts'
import { createWorld, live, nextChangeMs, failures, type Failure, type World } from './playing-world.ts'
import { broken } from './rules.ts'
import type { TrueUser } from './truth.ts'

/** How the feeds are played. */
export interface PlayOptions {
  readonly seed: number
  readonly feeds: number
  /** Called now and then with the number of feeds so far. */
  readonly onProgress?: (feeds: number) => void
  /** Whether the settings ask for shares of groups of sources. */
  readonly mixes?: boolean
  /** Ends at the first violation. */
  readonly endsAtFirst?: boolean
}

/** What the checker found. */
export interface Played {
  readonly feeds: number
  readonly items: number
  readonly acts: number
  readonly pages: { readonly full: number; readonly short: number; readonly empty: number; readonly degraded: number }
  readonly seenAgain: number
  /** Names of the rules that were broken, with an example and how often. */
  readonly violations: ReadonlyMap<string, { readonly example: string; readonly count: number }>
  /** Hash of every answer, byte for byte. */
  readonly digest: string
}

const { pageSessionTtlMs } = blenderSchema.parse({})

/** Plays feeds of a random world and checks each answer against what is true in it. */
export async function playFeeds({
  seed,
  feeds,
  onProgress,
  mixes = false,
  endsAtFirst = false,
}: PlayOptions): Promise<Played> {
  const world = await createWorld(seed, mixes)
  const violations = new Map<string, { example: string; count: number }>()
  const digest = createHash('sha256')
  let done = 0
  while (done < feeds) {
    await live(world)
    const user = world.draws.pick([...world.users.values()])
    for (let burst = 1 + world.draws.below(6); burst > 0 && done < feeds; burst--, done++) {
      const { found, bytes } = await oneFeed(world, user)
      digest.update(bytes)
      for (const problem of found) {
        const name = problem.slice(0, problem.indexOf(':'))
        const known = violations.get(name)
        violations.set(name, { example: known?.example ?? `feed ${done}, ${problem}`, count: (known?.count ?? 0) + 1 })
      }
      if (done % 1000 === 0) onProgress?.(done)
      if (endsAtFirst && violations.size > 0) feeds = done
    }
  }
  await world.product.close()
  const { items, acts, seenAgain, ...pages } = world.played
  return { feeds: done, items, acts, pages, seenAgain, violations, digest: digest.digest('hex') }
}

/** One user looks at one page and acts on it. */
async function oneFeed(
  world: World,
  user: TrueUser,
): Promise<{ readonly found: readonly string[]; readonly bytes: string }> {
  const { draws, product, failing, played } = world
  product.moveTo(draws.chance(0.4) ? nextChangeMs(world) : product.nowMs() + 1000 * draws.below(120))
  for (const [what, share] of Object.entries(failures)) if (draws.chance(share)) failing.add(what as Failure)
  const session = world.sessions.get(user.userId)
  const isOpen =
    session !== undefined && session.token !== '' && product.nowMs() - session.startedAtMs < pageSessionTtlMs
  const goesOn = isOpen && draws.chance(0.4)
  const asked = goesOn
    ? { ...session.asked, before: session.before, above: session.above, atMs: product.nowMs() }
    : ask(world, user)
  const isFull = failing.size === 0
  world.retrieved.clear()
  const answer = await request(world, user, asked, goesOn ? session.token : '')
  failing.clear()
  const candidates = candidatesOf(world, user, asked, goesOn ? session.candidates : null)
  const answered: Answered = { items: answer.items, isFull, reasons: answer.reasons }
  const until = answered.isFull ? Number.POSITIVE_INFINITY : user.knownUntil
  const of: Case = {
    truth: world,
    user,
    asked,
    answered,
    promised: world.promised,
    until: answered.reasons.includes('FEED_UNKNOWN_USER') ? -1 : until,
    offered: offeredLocales(world),
    candidates,
  }
  const found = broken(of)
  count(played, asked, answered)
  if (answered.isFull) user.knownUntil = world.eventNumber
  if (asked.surface === 'home') {
    const now = answered.items.map(({ pinId }) => ({ pinId, atMs: asked.atMs }))
    user.shown = [...user.shown.filter(({ atMs }) => asked.atMs - atMs < 30 * 86_400_000), ...now]
    const token = 'nextPageToken' in answer ? answer.nextPageToken : ''
    const before = [...asked.before, ...now.map(({ pinId }) => pinId)]
    const above = isFull && asked.above !== null ? before : null
    const startedAtMs = goesOn ? session.startedAtMs : asked.atMs
    const kept = isFull ? candidates : goesOn ? session.candidates : null
    world.sessions.set(user.userId, { asked, token, before, above, startedAtMs, candidates: kept })
  }
  if (draws.chance(0.7)) await act(world, user, answered)
  await product.settle()
  return { found, bytes: JSON.stringify(answer) }
}

function count(played: World['played'], asked: Asked, { items, isFull }: Answered): void {
  played.items += items.length
  played.seenAgain += items.filter(({ seenAgain }) => seenAgain).length
  if (!isFull) played.degraded++
  played[items.length === 0 ? 'empty' : items.length < asked.pageSize ? 'short' : 'full']++
}
