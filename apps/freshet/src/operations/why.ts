import { feedServed } from '@freshet/contracts/inspection/served'
import { servedJson, type ServedJson, type ServedPin } from '@freshet/contracts/inspection/served-json'
import { ContractError } from '@freshet/contracts/errors'
import { idProblem } from '@freshet/domain/ids'
import { ArgumentError } from '../arguments.ts'
import { askOperations } from './ask-operations.ts'
import { openLog, withOpen, type PlatformArguments } from './platform.ts'
import type { Terminal } from './terminal.ts'

/** The options that select the feed and the pin. */
export interface WhyArguments extends PlatformArguments {
  /** Operations addresses of running processes, separated by commas, instead of a log. */
  readonly operations?: string
  readonly feed?: string
  readonly pin?: string
  readonly json?: boolean
}

/**
 * `freshet why USER`: explains the last feed that a user got, or the feed `--feed`, from `feeds-served.v1`. It prints the sources
 * and the score of each pin and how many candidates each stage removed; with `--pin`, the features,
 * facts and exposed values of one pin as the ranker used them. It shows nothing from before an erasure.
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

const notAnswered: Pick<ServedPin, Added> = { exploration: null, amounts: {}, exposed: {}, facts: {} }

type Added = 'exploration' | 'amounts' | 'exposed' | 'facts'

/** What a process of an earlier version may answer. */
interface EarlierServedJson extends Omit<ServedJson, 'pins'> {
  readonly pins: readonly (Omit<ServedPin, Added> & Partial<Pick<ServedPin, Added>>)[]
}

/** The feed reduced to one pin. Throws FEED_MISSING if the pin is neither shown nor in the sample of candidates. */
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
      : `; of the ${left} candidates that were not shown, ${unshown?.pins.length ?? 0} are recorded, and this pin is not among them`
  const held = served.pins.map((pin) => pin.pinId).join(', ')
  throw new ContractError('FEED_MISSING', `the feed ${feedId} does not contain ${pinId}; it contains ${held}${sample}`)
}

async function servedTo(userId: string, given: WhyArguments, terminal: Terminal): Promise<ServedJson> {
  if (given.operations !== undefined) {
    if (given.brokers !== undefined || given.data !== undefined)
      throw new ArgumentError(
        '--operations cannot be combined with --brokers and --data: the command asks the running process',
      )
    const query = given.feed === undefined ? '' : `?feed=${encodeURIComponent(given.feed)}`
    const path = `/v1/users/${encodeURIComponent(userId)}/feeds/last${query}`
    const served = (await askOperations(given.operations, path, { signal: terminal.signal })) as EarlierServedJson
    return { ...served, pins: served.pins.map((pin) => ({ ...notAnswered, ...pin })) }
  }
  return withOpen(openLog(given), async ({ log }) =>
    servedJson(
      await feedServed(log, userId, given.feed ?? null, {
        signal: terminal.signal,
        onError: (error) => terminal.progress.write(`freshet: ${error.message}; retrying\n`),
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
    ...pins.map(({ position, pinId, utility, exploration, probabilities, sources }) => {
      const likely = Object.entries(probabilities).map(([action, p]) => `${action} ${p.toFixed(3)}`)
      const place = String(position).padStart(4)
      return `${place}  ${pinId.padEnd(widest)}  utility ${utility.toFixed(3)}${addedBy(exploration, 3)}  ${likely.join(' ')}  from ${sources.join(', ')}`
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

/** What exploration added to a utility; empty: there was none. */
function addedBy(exploration: number | null, digits: number): string {
  if (exploration === null) return ''
  return ` ${exploration < 0 ? '−' : '+'} ${Math.abs(exploration).toFixed(digits)} by exploration`
}

/** The sampled candidates that were not shown, by stage and reason. */
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
    ...served.pins.flatMap((pin) => [
      `${pin.pinId} at ${pin.position}, utility ${pin.utility.toFixed(4)}${addedBy(pin.exploration, 4)}`,
      ...foundLines(pin),
      ...pin.moves.map(({ why, from, to }) => `  moved by ${why} from ${from} to ${to}`),
      ...scoreLines(pin),
    ]),
    ...(served.unshown?.pins ?? []).flatMap(({ pinId, stage, reason, utility, ...candidate }) => [
      `${pinId} was not shown: ${stage} removed it (${reason})${utility === null ? '' : `, utility ${utility.toFixed(4)}`}`,
      ...foundLines(candidate),
    ]),
  ]
}

/** What the model predicted for a pin, the values that its spec exposes, and what it read. */
function scoreLines({ probabilities, amounts, exposed, facts, features }: ServedPin): string[] {
  return [
    ...Object.entries(probabilities).map(([action, p]) => `  P(${action}) ${p.toFixed(4)}`),
    ...Object.entries(amounts).map(([name, amount]) => `  E[${name}] ${amount.toFixed(4)}`),
    ...Object.entries(exposed).map(([name, value]) => `  ${name.padEnd(24)} ${value ?? 'missing'} (exposed)`),
    ...Object.entries(facts).map(([name, texts]) => `  ${name.padEnd(24)} ${texts.join(', ') || 'none'}`),
    ...Object.entries(features).map(([name, value]) => `  ${name.padEnd(24)} ${value}`),
  ]
}

/** The sources of a pin with its rank (1 = best) and score in each, and its rank among all candidates. */
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
