import { float32Column, uint32Column } from '@freshet/contracts/columns'
import { degradationToJSON } from '@freshet/contracts/gen/freshet/blending/v1/blending'
import { surfaceToJSON } from '@freshet/contracts/gen/freshet/engagement/v1/engagement'
import { FeedServed } from '@freshet/contracts/gen/freshet/feed/v1/feed'
import type { EventLog } from '@freshet/contracts/ports/event-log'
import { idProblem } from '@freshet/domain/ids'
import { partitionOf } from '@freshet/domain/partition'
import { createProgress } from '@freshet/service/progress'
import { ArgumentError } from '../arguments.ts'
import { OperationError } from './errors.ts'
import { openLog, withOpen, type PlatformArguments } from './platform.ts'
import type { Terminal } from './terminal.ts'

/** Which answer, and which pin of it. */
export interface WhyArguments extends PlatformArguments {
  readonly feed?: string
  readonly pin?: string
  readonly json?: boolean
}

const topic = 'feeds-served.v1'

/** One pin of a slate that was served, as it was recorded. */
interface ServedPin {
  readonly pinId: string
  /** In the whole feed, from 0. */
  readonly position: number
  readonly utility: number
  readonly sources: readonly string[]
  /** P(action) by action; empty where the ranker did not take part. */
  readonly probabilities: Readonly<Record<string, number>>
  /** The numbers that the ranker saw, by feature; empty where it did not take part. */
  readonly features: Readonly<Record<string, number>>
}

/**
 * `freshet why USER`: the last slate that was served to a user, or the one of `--feed`, from `feeds-served.v1`: where each pin came from, what it was
 * thought worth, and what the stages removed; with `--pin`, the features of one pin as they were used.
 */
export async function runWhy(userId: string, given: WhyArguments, terminal: Terminal): Promise<void> {
  const problem = idProblem(userId)
  if (problem !== null) throw new ArgumentError(`the user id ${problem}`)
  return withOpen(openLog(given), async ({ log }) => {
    const served = await lastServed(log, userId, given.feed ?? null, terminal)
    if (served === null) {
      const which = given.feed === undefined ? 'no feed' : `no feed ${given.feed}`
      throw new OperationError(
        'FEED_MISSING',
        `${topic} holds ${which} of ${userId}; it keeps feeds for 30 days, and none that were asked for with dryRun`,
      )
    }
    const pins = pinsOf(served)
    const chosen = given.pin === undefined ? pins : pins.filter(({ pinId }) => pinId === given.pin)
    if (chosen.length === 0) {
      throw new OperationError(
        'FEED_MISSING',
        `the feed ${served.feedId} does not hold ${given.pin}; it holds ${pins.map(({ pinId }) => pinId).join(', ')}`,
      )
    }
    if (given.json === true) {
      terminal.write(`${JSON.stringify({ ...headOf(served), pins: chosen, stages: served.stages })}\n`)
      return
    }
    for (const line of given.pin === undefined ? slateLines(served, chosen) : pinLines(served, chosen)) {
      terminal.write(`${line}\n`)
    }
  })
}

/** The last slate of the user, or the one with this id; reads the user's partition from its first record kept to its present end. */
async function lastServed(
  log: EventLog,
  userId: string,
  feedId: string | null,
  terminal: Terminal,
): Promise<FeedServed | null> {
  const [starts, ends] = await Promise.all([log.starts(topic), log.ends(topic)])
  const own = partitionOf(userId, ends.length)
  const end = ends[own] ?? 0
  if (end <= (starts[own] ?? 0)) return null
  const progress = createProgress({
    label: 'reading',
    unit: 'feeds',
    total: end - (starts[own] ?? 0),
    out: terminal.progress,
    nowMs: terminal.nowMs,
  })
  const done = Promise.withResolvers<undefined>()
  const abort = () => done.reject(terminal.signal.reason)
  terminal.signal.throwIfAborted()
  terminal.signal.addEventListener('abort', abort, { once: true })
  let found: FeedServed | null = null
  const reader = await log.readAll({
    topics: [topic],
    maxBatchRecords: 2_000,
    startAt: ({ partition }) => (partition === own ? null : (ends[partition] ?? null)),
    onError: (error) => terminal.progress.write(`freshet: ${error.message}; trying again\n`),
    onBatch: ({ partition, next, records }) => {
      if (partition !== own) return Promise.resolve()
      for (const { key, value, position } of records) {
        if (key !== userId || value === null || position >= end) continue
        const served = FeedServed.decode(value)
        if (feedId === null || served.feedId === feedId) found = served
      }
      progress.advance(records.length)
      if (next >= end) done.resolve(undefined)
      return Promise.resolve()
    },
  })
  try {
    await done.promise
  } finally {
    terminal.signal.removeEventListener('abort', abort)
    await reader.stop()
  }
  return found
}

function pinsOf(served: FeedServed): ServedPin[] {
  const utilities = float32Column(served.utilities)
  const foundBy = uint32Column(served.foundBy)
  const features = float32Column(served.features)
  const probabilities = float32Column(served.probabilities)
  const width = served.featureNames.length
  const rows = served.pinIds.length
  return served.pinIds.map((pinId, row) => ({
    pinId,
    position: served.firstPosition + row,
    utility: utilities[row] ?? 0,
    sources: served.sources.filter((_, bit) => (((foundBy[row] ?? 0) >>> bit) & 1) === 1),
    probabilities: Object.fromEntries(
      served.actions.map((action, at) => [action, probabilities[at * rows + row] ?? 0] as const),
    ),
    features: Object.fromEntries(
      served.featureNames.map((name, at) => [name, features[row * width + at] ?? 0] as const),
    ),
  }))
}

function headOf({ feedId, userId, atMs, surface, degradation, modelVersion, relatedToPinId }: FeedServed) {
  return {
    feedId,
    userId,
    at: new Date(atMs).toISOString(),
    surface: surfaceToJSON(surface).replace('SURFACE_', '').toLowerCase(),
    degradation: degradationToJSON(degradation).replace('DEGRADATION_', ''),
    modelVersion,
    relatedToPinId,
  }
}

function headLine(served: FeedServed): string {
  const { feedId, userId, at, surface, degradation, modelVersion, relatedToPinId } = headOf(served)
  const about = relatedToPinId === '' ? surface : `${surface} to ${relatedToPinId}`
  return `feed ${feedId} of ${userId} at ${at}: ${about}, degradation ${degradation}, model ${modelVersion === '' ? 'none' : modelVersion}`
}

function slateLines(served: FeedServed, pins: readonly ServedPin[]): string[] {
  const widest = Math.max(...pins.map(({ pinId }) => pinId.length))
  return [
    headLine(served),
    ...pins.map(({ position, pinId, utility, probabilities, sources }) => {
      const likely = Object.entries(probabilities).map(([action, p]) => `${action} ${p.toFixed(3)}`)
      const place = String(position).padStart(4)
      return `${place}  ${pinId.padEnd(widest)}  utility ${utility.toFixed(3)}  ${likely.join(' ')}  from ${sources.join(', ')}`
    }),
    'stages',
    ...served.stages.map(({ stage, candidatesIn, candidatesOut, tookUs, removed, error }) => {
      const why = Object.entries(removed).map(([reason, count]) => `${reason} ${count}`)
      const took = `${(tookUs / 1000).toFixed(1)} ms`.padStart(9)
      return `  ${stage.padEnd(20)} ${String(candidatesIn).padStart(5)} → ${String(candidatesOut).padStart(5)} ${took}  ${[...why, error].join(' ')}`.trimEnd()
    }),
  ]
}

function pinLines(served: FeedServed, pins: readonly ServedPin[]): string[] {
  return [
    headLine(served),
    ...pins.flatMap(({ pinId, position, utility, sources, probabilities, features }) => [
      `${pinId} at ${position}, utility ${utility.toFixed(4)}`,
      `  found by ${sources.join(', ')}`,
      ...Object.entries(probabilities).map(([action, p]) => `  P(${action}) ${p.toFixed(4)}`),
      ...Object.entries(features).map(([name, value]) => `  ${name.padEnd(24)} ${value}`),
    ]),
  ]
}
