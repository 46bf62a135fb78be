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
  const pins = given.pin === undefined ? served.pins : served.pins.filter(({ pinId }) => pinId === given.pin)
  if (pins.length === 0 && given.pin !== undefined) {
    throw new ContractError(
      'FEED_MISSING',
      `the feed ${served.feedId} does not hold ${given.pin}; it holds ${served.pins.map(({ pinId }) => pinId).join(', ')}`,
    )
  }
  if (given.json === true) {
    terminal.write(`${JSON.stringify({ ...served, pins })}\n`)
    return
  }
  for (const line of given.pin === undefined ? slateLines(served, pins) : pinLines(served, pins)) {
    terminal.write(`${line}\n`)
  }
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

function slateLines(served: ServedJson, pins: readonly ServedPin[]): string[] {
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
  ]
}

function pinLines(served: ServedJson, pins: readonly ServedPin[]): string[] {
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
