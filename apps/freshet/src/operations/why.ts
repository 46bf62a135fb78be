import { feedServed } from '@freshet/contracts/inspection/served'
import { servedJson, type ServedJson, type ServedPin } from '@freshet/contracts/inspection/served-json'
import { ContractError } from '@freshet/contracts/errors'
import { idProblem } from '@freshet/domain/ids'
import { ArgumentError } from '../arguments.ts'
import { askOperations } from './ask-operations.ts'
import { openLog, withOpen, type PlatformArguments } from './platform.ts'
import type { Terminal } from './terminal.ts'

/** Which answer, and which pin of it. */
export interface WhyArguments extends PlatformArguments {
  /** Operations addresses of running processes, separated by commas, instead of a log. */
  readonly operations?: string
  readonly feed?: string
  readonly pin?: string
  readonly json?: boolean
}

/**
 * `freshet why USER`: the last slate that was served to a user, or the one of `--feed`, from `feeds-served.v1`: where each pin came from, what it was
 * thought worth, and what the stages removed; with `--pin`, the features of one pin as they were used. Nothing is shown from before an erasure.
 */
export async function runWhy(userId: string, given: WhyArguments, terminal: Terminal): Promise<void> {
  const problem = idProblem(userId)
  if (problem !== null) throw new ArgumentError(`the user id ${problem}`)
  const served = await servedTo(userId, given, terminal)
  const shown = given.pin === undefined ? served : onlyPin(served, given.pin)
  if (given.json === true) {
    terminal.write(`${JSON.stringify(shown)}\n`)
    return
  }
  for (const line of given.pin === undefined ? slateLines(shown) : pinLines(shown)) terminal.write(`${line}\n`)
}

/** The slate with what it says of one pin. Throws FEED_MISSING for one that it neither shows nor has in its sample. */
function onlyPin(served: ServedJson, pinId: string): ServedJson {
  const { feedId, unshown } = served
  const pins = served.pins.filter((pin) => pin.pinId === pinId)
  const fallen = unshown?.pins.filter((pin) => pin.pinId === pinId) ?? []
  if (pins.length + fallen.length > 0)
    return { ...served, pins, unshown: unshown === null ? null : { ...unshown, pins: fallen } }
  const left = unshown?.reasons.reduce((sum, { candidates }) => sum + candidates, 0) ?? 0
  const sample =
    left === 0
      ? ''
      : `; of ${left} candidates that it does not show, ${unshown?.pins.length ?? 0} are recorded, and not this one`
  const held = served.pins.map((pin) => pin.pinId).join(', ')
  throw new ContractError('FEED_MISSING', `the feed ${feedId} does not hold ${pinId}; it holds ${held}${sample}`)
}

async function servedTo(userId: string, given: WhyArguments, terminal: Terminal): Promise<ServedJson> {
  if (given.operations !== undefined) {
    if (given.brokers !== undefined || given.data !== undefined)
      throw new ArgumentError('--operations goes without --brokers and --data: the running process is asked')
    const query = given.feed === undefined ? '' : `?feed=${encodeURIComponent(given.feed)}`
    const path = `/v1/users/${encodeURIComponent(userId)}/feeds/last${query}`
    return (await askOperations(given.operations, path, terminal.signal)) as ServedJson
  }
  return withOpen(openLog(given), async ({ log }) =>
    servedJson(
      await feedServed(log, userId, given.feed ?? null, {
        signal: terminal.signal,
        onError: (error) => terminal.progress.write(`freshet: ${error.message}; trying again\n`),
      }),
    ),
  )
}

function headLine({ feedId, userId, at, surface, degradation, modelVersion, relatedToPinId }: ServedJson): string {
  const about = relatedToPinId === '' ? surface : `${surface} to ${relatedToPinId}`
  return `feed ${feedId} of ${userId} at ${at}: ${about}, degradation ${degradation}, model ${modelVersion === '' ? 'none' : modelVersion}`
}

function slateLines(served: ServedJson): string[] {
  const { pins } = served
  const widest = Math.max(0, ...pins.map(({ pinId }) => pinId.length))
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
    ...unshownLines(served),
  ]
}

/** Some that were not shown, by where they left. */
function unshownLines({ unshown }: ServedJson): string[] {
  if (unshown === null || unshown.pins.length === 0) return []
  return [
    'not shown (a sample; --pin says more)',
    ...unshown.reasons
      .filter(({ sampled }) => sampled > 0)
      .map(({ stage, reason, candidates, sampled }) => {
        const pins = unshown.pins.filter((pin) => pin.stage === stage && pin.reason === reason)
        const label = `${stage}: ${reason}`
        return `  ${label.padEnd(34)} ${sampled} of ${candidates}  ${pins.map(({ pinId }) => pinId).join(' ')}`
      }),
  ]
}

function pinLines(served: ServedJson): string[] {
  return [
    headLine(served),
    ...served.pins.flatMap(({ pinId, position, utility, probabilities, features, moves, ...candidate }) => [
      `${pinId} at ${position}, utility ${utility.toFixed(4)}`,
      ...foundLines(candidate),
      ...moves.map(({ why, from, to }) => `  moved by ${why} from ${from} to ${to}`),
      ...Object.entries(probabilities).map(([action, p]) => `  P(${action}) ${p.toFixed(4)}`),
      ...Object.entries(features).map(([name, value]) => `  ${name.padEnd(24)} ${value}`),
    ]),
    ...(served.unshown?.pins ?? []).flatMap(({ pinId, stage, reason, utility, ...candidate }) => [
      `${pinId} was not shown: ${stage} removed it (${reason})${utility === null ? '' : `, utility ${utility.toFixed(4)}`}`,
      ...foundLines(candidate),
    ]),
  ]
}

/** The sources of a pin, with its rank in each (1 = best) and their scores, and its place among all candidates. */
function foundLines({
  sources,
  sourceRanks,
  sourceScores,
  retrievalRank,
  retrievalScore,
}: Pick<ServedPin, 'sources' | 'sourceRanks' | 'sourceScores' | 'retrievalRank' | 'retrievalScore'>): string[] {
  const found = sources.map((source) => {
    const [rank, score] = [sourceRanks[source], sourceScores[source]]
    return rank === undefined || score === undefined
      ? source
      : `${source} (${rank + 1}., score ${score.toPrecision(4)})`
  })
  return [
    `  found by ${found.join(', ')}`,
    ...(retrievalRank === null || retrievalScore === null
      ? []
      : [`  candidate ${retrievalRank + 1}, retrieval score ${retrievalScore.toPrecision(4)}`]),
  ]
}
