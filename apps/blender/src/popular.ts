import { float32Column } from '@freshet/contracts/bytes/columns'
import { Surface } from '@freshet/contracts/gen/freshet/engagement/v1/engagement'
import type { CandidateService } from '@freshet/contracts/ports/calls'
import type { Clock } from '@freshet/domain/clock'
import { createRecentMap } from './recent-map.ts'

/** Pins, best first. */
export interface PopularPins {
  readonly pinIds: readonly string[]
  readonly scores: Float32Array
}

/** Popular pins, from this process's memory. */
export interface Popular {
  /** Popular pins of a locale if known, else popular pins of all locales; null: none are known yet. */
  of(locale: string): PopularPins | null
  /** Notes that a request asked for a locale. Refreshes include the locales that requests asked for last. */
  want(locale: string): void
  /** Asks the candidate service again. Throws what the candidate service throws, and keeps the known pins. */
  refresh(timeoutMs: number): Promise<void>
  /** Why no rung of the ladder can fill a feed; null: the lowest rung can, or the catalogue has no pins. */
  unready(): string | null
  /** Refreshes regularly until the signal is aborted, and more often while no popular pins are known. */
  run(signal: AbortSignal): Promise<void>
}

/** Time between two attempts while no popular pins are known. */
const retryMs = 250

/** Keeps popular pins in memory: the candidates of a request without a user. */
export function createPopular({
  candidates,
  clock,
  config,
  onError,
}: {
  readonly candidates: CandidateService
  readonly clock: Clock
  readonly config: {
    readonly popularRefreshMs: number
    readonly maxPopularLocales: number
    readonly maxCandidates: number
  }
  readonly onError: (error: unknown) => void
}): Popular {
  const everywhere = ''
  const locales = createRecentMap<string, true>(config.maxPopularLocales)
  const known = new Map<string, PopularPins>()
  let problem: string | null = 'the candidate service has not been asked yet'

  async function ask(locale: string, timeoutMs: number): Promise<void> {
    const { pinIds, scores, catchingUp } = await candidates.retrieve(
      {
        userId: '',
        sessionId: '',
        surface: Surface.HOME,
        atMs: clock.now(),
        recent: undefined,
        relatedToPinId: '',
        excludePinIds: [],
        excludePinHashes: new Uint8Array(0),
        follows: undefined,
        blocks: undefined,
        limit: config.maxCandidates,
        sources: [],
        locale,
        amongPinIds: [],
        await: [],
        shown: undefined,
        blockedCreatorHashes: new Uint8Array(0),
        blockedTopicHashes: new Uint8Array(0),
        fillTo: config.maxCandidates,
        sweptTo: 0,
        filter: undefined,
        withoutSources: [],
        imageEmbedding: new Uint8Array(0),
        imageOfPinId: '',
        withBoards: false,
      },
      { timeoutMs },
    )
    if (pinIds.length > 0) known.set(locale, { pinIds, scores: float32Column(scores).slice() })
    problem = catchingUp ? 'the candidate service is catching up' : null
  }

  async function refresh(timeoutMs: number): Promise<void> {
    const wanted = [everywhere, ...locales.keys()]
    for (const locale of known.keys()) if (!wanted.includes(locale)) known.delete(locale)
    for (const locale of wanted) await ask(locale, timeoutMs)
  }

  const count = (): number => known.get(everywhere)?.pinIds.length ?? 0

  /** An empty catalogue cannot fill a feed, but that is not a problem. */
  const unready = (): string | null => (known.size > 0 ? null : problem)

  return {
    of: (locale) => known.get(locale) ?? known.get(everywhere) ?? null,
    want(locale) {
      if (locale !== everywhere && config.maxPopularLocales > 0) locales.set(locale, true)
    },
    refresh,
    unready,
    async run(signal) {
      let quietUntilMs = -Infinity
      while (!signal.aborted) {
        const before = count()
        try {
          await refresh(config.popularRefreshMs)
        } catch (error) {
          problem = `the candidate service does not answer: ${error instanceof Error ? error.message : String(error)}`
          if (clock.now() >= quietUntilMs) {
            quietUntilMs = clock.now() + config.popularRefreshMs
            onError(error)
          }
        }
        // While a young catalogue grows, an old list would soon have nothing left for a user.
        const isSettled = unready() === null && count() > 0 && count() <= before
        const pauseMs = isSettled ? config.popularRefreshMs : Math.min(retryMs, config.popularRefreshMs)
        try {
          await clock.sleep(pauseMs, signal)
        } catch {
          return
        }
      }
    },
  }
}
