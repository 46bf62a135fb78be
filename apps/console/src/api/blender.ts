import { callJson } from './http.ts'

/** Where the console server answers for the blender. */
export const feedsPath = '/api/feeds'
/** Where the console server answers for event-ingest. */
export const eventsPath = '/api/events'

/** What a page draws of a pin. */
export interface PinCard {
  readonly pinId: string
  readonly title: string
  readonly description: string
  readonly imageUrl: string
  readonly creatorId: string
  readonly topics: readonly string[]
  readonly locale: string
}

/** A named number; null: missing. */
export interface Named {
  readonly name: string
  readonly value: number | null
}

/** A source that found a pin. Ranks are from 0. */
export interface ExplainedSource {
  readonly source: string
  readonly rank?: number
  readonly score?: number
  /** The user's own actions that it started from, in the order in which they count. Actions are named as in `ACTION_SAVE`. */
  readonly seeds: readonly { readonly pinId: string; readonly action: string; readonly occurredAtMs: number }[]
}

/** A prediction and what it adds to the utility. */
export interface ExplainedHead {
  readonly head: string
  readonly value: number
  readonly factor: number
  readonly utilityPart?: number
}

/** A feature and what it adds to the utility. */
export interface ExplainedFeature {
  readonly name: string
  readonly value: number | null
  readonly utilityContribution?: number | null
  readonly headContributions: readonly Named[]
}

/** Why a pin is on the page. */
export interface ExplainedPin {
  readonly pinId: string
  readonly position: number
  readonly sources: readonly ExplainedSource[]
  readonly retrievalRank?: number
  readonly utility: number
  readonly exploration?: number
  readonly propensity: number
  readonly heads: readonly ExplainedHead[]
  readonly features: readonly ExplainedFeature[]
  readonly facts: readonly { readonly name: string; readonly texts: readonly string[] }[]
  readonly ordering: readonly Named[]
  readonly moves: readonly { readonly why: string; readonly from: number; readonly to: number }[]
  readonly notes: readonly string[]
}

/** Why a pin is not on the page. */
export interface ExplainedAbsence {
  readonly pinId: string
  readonly wasCandidate: boolean
  readonly stage: string
  readonly reason: string
  readonly utility?: number
  readonly lastUtility?: number
  readonly retrievalRank?: number
  readonly sources: readonly ExplainedSource[]
  readonly text: string
}

/** What a stage did. */
export interface StageReport {
  readonly stage: string
  readonly candidatesIn: number
  readonly candidatesOut: number
  readonly tookUs: number
  readonly removed: Readonly<Record<string, number>>
  readonly error: string
}

/** A served feed, explained from its record. */
export interface Explanation {
  readonly feedId: string
  readonly userId: string
  readonly atMs: number
  readonly degradation: string
  readonly modelVersion: string
  readonly stages: readonly StageReport[]
  readonly pins: readonly ExplainedPin[]
  readonly absence?: ExplainedAbsence
  readonly contributionProblem: string
}

/** Explains a feed, or one pin of it. A feed's record is readable a moment after the feed: an unknown feed is asked for again by the caller. */
export async function explainFeed(feedId: string, pinId: string, signal?: AbortSignal): Promise<Explanation> {
  const answer = await callJson<Explanation>(`${feedsPath}/v1/explain`, {
    body: { feedId, pinId },
    ...(signal && { signal }),
  })
  return { ...answer, pins: answer.pins.map((pin) => ({ ...pin, sources: pin.sources.map(withSeeds) })) }
}

/** A blender of the release before names no seeds. */
function withSeeds(source: ExplainedSource | Omit<ExplainedSource, 'seeds'>): ExplainedSource {
  return { seeds: [], ...source }
}

/** What a page draws of pins, in batches of at most 500. */
export async function getPins(pinIds: readonly string[]): Promise<readonly PinCard[]> {
  const { pins } = await callJson<{ pins: readonly PinCard[] }>(`${feedsPath}/v1/pins`, { body: { pinIds } })
  return pins
}

/** A ranked pin of a list. */
export interface RankedPin {
  readonly pinId: string
  readonly position: number
  readonly utility: number
  readonly sources: readonly string[]
  readonly seenAgain: boolean
}

/** Ranks pins for a user. */
export async function rankPins(
  request: {
    readonly userId: string
    readonly pinIds: readonly string[]
    readonly locale: string
    readonly after: readonly string[]
  },
  signal: AbortSignal,
): Promise<readonly RankedPin[]> {
  const { items } = await callJson<{ items: readonly RankedPin[] }>(`${feedsPath}/v1/rank`, { body: request, signal })
  return items
}
