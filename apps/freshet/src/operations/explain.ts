import {
  degradationToJSON,
  type ExplainedAbsence,
  type ExplainedPin,
  type ExplainedSource,
  type ExplainFeedResponse,
} from '@freshet/contracts/gen/freshet/blending/v1/blending'
import { surfaceToJSON } from '@freshet/contracts/gen/freshet/engagement/v1/engagement'
import { ExplainFeedResponse as ExplainFeedMessage } from '@freshet/contracts/gen/freshet/blending/v1/blending'
import { FeedServed } from '@freshet/contracts/gen/freshet/feed/v1/feed'
import { explainServed } from '@freshet/contracts/inspection/explanation'
import { findFeed } from '@freshet/contracts/inspection/find-feed'
import { idProblem } from '@freshet/domain/ids'
import { ArgumentError } from '../arguments.ts'
import { askBlender } from './ask-blender.ts'
import { openLog, withOpen, type PlatformArguments } from './platform.ts'
import type { Terminal } from './terminal.ts'

/** Where the explanation comes from, and how it is printed. */
export interface ExplainArguments extends PlatformArguments {
  /** gRPC address of a blender, instead of a log. */
  readonly target?: string
  readonly json?: boolean
}

/** How long a blender may take. */
const patienceMs = 30_000

/**
 * `freshet explain FEED [PIN]`: why the pins of a feed are on its page, from its record; of a pin that is not there, at which stage
 * it fell and why. Throws FEED_MISSING and USER_ERASED.
 */
export async function runExplain(
  feedId: string,
  pinId: string | undefined,
  given: ExplainArguments,
  terminal: Terminal,
): Promise<void> {
  const problem = pinId === undefined ? null : idProblem(pinId)
  if (problem !== null) throw new ArgumentError(`the pin id ${problem}`)
  const answer = await explanationOf(feedId, pinId ?? '', given, terminal)
  if (given.json === true) terminal.write(`${JSON.stringify(ExplainFeedMessage.toJSON(answer))}\n`)
  else for (const line of linesOf(answer, pinId !== undefined)) terminal.write(`${line}\n`)
}

async function explanationOf(
  feedId: string,
  pinId: string,
  given: ExplainArguments,
  { signal, progress }: Terminal,
): Promise<ExplainFeedResponse> {
  if (given.target !== undefined) {
    if (given.brokers !== undefined || given.data !== undefined)
      throw new ArgumentError('--target cannot be combined with --brokers and --data: the command asks the blender')
    return askBlender({ target: given.target, signal }, (blender) =>
      blender.explainFeed({ feedId, pinId }, { timeoutMs: patienceMs, signal }),
    )
  }
  return withOpen(openLog(given), async ({ log, clock }) => {
    const onError = (error: Error): void => void progress.write(`freshet: ${error.message}; retrying\n`)
    const record = await findFeed(feedId, { log, nowMs: clock.now(), signal, onError })
    return explainServed(FeedServed.decode(record), pinId)
  })
}

function linesOf(answer: ExplainFeedResponse, isOnePin: boolean): string[] {
  const { pins, absence } = answer
  if (absence !== undefined) return [headLine(answer), ...askedLines(answer), ...absenceLines(absence)]
  return [
    headLine(answer),
    ...askedLines(answer),
    ...answer.experiments.map(({ layer, bucket, experiment, arm }) =>
      `experiment ${layer}: bucket ${bucket} ${experiment} ${arm}`.trimEnd(),
    ),
    ...pins.flatMap((pin) => (isOnePin ? [pinLine(pin), ...pinLines(pin)] : [pinLine(pin)])),
    ...contributionLines(answer),
    ...(isOnePin || answer.removals.length === 0 ? [] : ['removed']),
    ...(isOnePin
      ? []
      : answer.removals.map(({ stage, reason, candidates }) => `  ${`${stage}: ${reason}`.padEnd(34)} ${candidates}`)),
  ]
}

function headLine(answer: ExplainFeedResponse): string {
  const surface = surfaceToJSON(answer.surface).replace('SURFACE_', '').toLowerCase()
  const about = answer.relatedToPinId === '' ? surface : `${surface} to ${answer.relatedToPinId}`
  const degradation = degradationToJSON(answer.degradation).replace('DEGRADATION_', '')
  const who = answer.userId === '' ? 'an unknown user' : answer.userId
  const model = answer.modelVersion === '' ? 'none' : `${answer.modelVersion} (plan ${answer.rankingPlan})`
  return `feed ${answer.feedId} of ${who} at ${new Date(answer.atMs).toISOString()}: ${about}, degradation ${degradation}, model ${model}`
}

/** What the request restricted its pins to, in a line; empty: nothing. */
function askedLines({ filter, excludedPins, seenPins, onlySources, withoutSources }: ExplainFeedResponse): string[] {
  const named = (what: string, names: readonly string[] = []): string[] =>
    names.length === 0 ? [] : [`${what} ${names.join(', ')}`]
  const asked = [
    ...named('topics', filter?.topicIds),
    ...named('creators', filter?.creatorIds),
    ...named('boards', filter?.boardIds),
    ...(filter?.maxAgeMs === undefined ? [] : [`pins of the last ${filter.maxAgeMs} ms`]),
    ...named('allowed safety labels', filter?.allowedSafetyLabels),
    ...(filter?.userAge === undefined ? [] : [`age of the user ${filter.userAge}`]),
    ...(filter?.includeOwnPins === true ? ["the user's own pins too"] : []),
    ...(excludedPins === 0 ? [] : [`${pinsOf(excludedPins)} excluded`]),
    ...(seenPins === 0 ? [] : [`${pinsOf(seenPins)} seen elsewhere`]),
    ...named('only the sources', onlySources),
    ...named('without the sources', withoutSources),
  ]
  return asked.length === 0 ? [] : [`the request asked for: ${asked.join('; ')}`]
}

function pinsOf(count: number): string {
  return count === 1 ? '1 pin' : `${count} pins`
}

function pinLine({ pinId, position, utility, exploration, sources }: ExplainedPin): string {
  const drawn = exploration === undefined ? '' : ` ${signed(exploration)} by exploration`
  const found = sources.map(({ source }) => source).join(', ')
  return `${String(position).padStart(4)}  ${pinId}  utility ${utility.toFixed(4)}${drawn}  from ${found}`
}

function pinLines(pin: ExplainedPin): string[] {
  return [
    ...sourceLines(pin.sources),
    ...(pin.retrievalRank === undefined ? [] : [`  candidate ${pin.retrievalRank + 1} in retrieval order`]),
    ...pin.heads.map(({ head, value, factor, utilityPart }) => {
      const part = utilityPart === undefined ? '' : `, ${signed(utilityPart)} of the utility`
      return `  ${head} ${value.toFixed(4)}${factor === 1 ? '' : ` × ${factor}`}${part}`
    }),
    ...pin.ordering.map(({ name, value }) => `  ${name} ${Number.isNaN(value) ? 'not known' : signed(value)}`),
    ...pin.moves.map(({ why, from, to }) => `  moved by ${why} from ${from} to ${to}`),
    ...pin.notes.map((note) => `  noted by ${note}`),
    `  probability of this position ${pin.propensity.toPrecision(3)}`,
    ...pin.facts.map(({ name, texts }) => `  ${name.padEnd(24)} ${texts.join(', ') || 'none'}`),
    ...pin.exposed.map(
      ({ name, value }) => `  ${name.padEnd(24)} ${Number.isNaN(value) ? 'missing' : value} (exposed)`,
    ),
    ...pin.features.map(({ name, value, utilityContribution }) => {
      const adds = utilityContribution === undefined ? '' : `  ${signed(utilityContribution)} of the utility`
      return `  ${name.padEnd(24)} ${value}${adds}`
    }),
  ]
}

function absenceLines({ text, sources }: ExplainedAbsence): string[] {
  return [text, ...sourceLines(sources)]
}

function sourceLines(sources: readonly ExplainedSource[]): string[] {
  return sources.map(({ source, rank, score }) => {
    const place = rank === undefined ? '' : `, rank ${rank + 1}`
    return `  found by ${source}${place}${score === undefined ? '' : `, score ${score.toPrecision(4)}`}`
  })
}

function contributionLines({ contributionMethod, contributionProblem }: ExplainFeedResponse): string[] {
  if (contributionMethod !== '') return [`contributions by ${contributionMethod}`]
  return contributionProblem === '' ? [] : [`no contributions: ${contributionProblem}`]
}

function signed(value: number): string {
  return `${value < 0 ? '−' : '+'} ${Math.abs(value).toFixed(4)}`
}
