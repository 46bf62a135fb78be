import { evaluatePolicy, type PolicyReport } from '@freshet/experiments/off-policy/evaluate'
import { ArgumentError, whole } from '../../arguments.ts'
import { OperationError } from '../../operations/errors.ts'
import { openLog, withOpen } from '../../operations/platform.ts'
import type { Terminal } from '../../operations/terminal.ts'
import { choiceOf, type LoggedFeedsArguments } from '../log-arguments.ts'
import { interval, tableLines } from '../report-text.ts'
import { collectDrawn, type DrawnFeeds } from './collect-drawn.ts'
import { exportSlates } from './export-slates.ts'
import { rewardNames, type RewardName } from './rewards.ts'
import { slatesOf, type TargetPolicy, type TargetSlates } from './slates-of-feeds.ts'

/** The options of `freshet experiments ope`, as text. */
export interface OpeArguments extends LoggedFeedsArguments {
  readonly reward: string
  readonly temperatureTimes: string
  /** HEAD=NUMBER each. */
  readonly add?: readonly string[]
  readonly resamples: string
  readonly seed: string
  readonly export?: string
}

/** From this share on, what is not known of the candidates below a page can decide the result. */
const muchRest = 0.1

/**
 * `freshet experiments ope`: estimates what another ordering would have earned, from feeds whose order was drawn at random. Throws
 * EXPERIMENTS_EMPTY if the log has no such feed.
 */
export async function runExperimentsOpe(given: OpeArguments, terminal: Terminal): Promise<void> {
  const choice = choiceOf(given)
  const reward = rewardNames.find((name) => name === given.reward)
  if (reward === undefined) throw new ArgumentError(`--reward is ${given.reward}; give ${rewardNames.join(', ')}`)
  const target = targetOf(given)
  const [resamples, seed] = [whole(given.resamples, '--resamples', 50, 10_000), whole(given.seed, '--seed', 0, 2 ** 31)]
  const heads = new Set([reward, ...target.addedWeights.keys()])
  const collected = await withOpen(openLog(given), ({ log }) =>
    collectDrawn(log, { ...choice, reward, heads }, terminal),
  )
  const slates = slatesOf(collected.feeds, target, reward)
  if (slates.slates.length === 0)
    throw new OperationError(
      'EXPERIMENTS_EMPTY',
      `no drawn feed in this time can be judged (${leftOutText(collected, slates)}); set blender.ordering.draw.share, or another --from and --to`,
    )
  const report = evaluatePolicy(slates.slates, { level: choice.level, resamples, seed })
  const rows = given.export === undefined ? null : await exportSlates(given.export, slates.feeds, slates.slates, reward)
  const warnings = [...report.warnings, ...restWarnings(slates)]
  const { leftOut } = collected
  if (given.json === true) {
    const { misfits, restShare, guessedShare } = slates
    terminal.write(`${JSON.stringify({ reward, ...report, warnings, leftOut, misfits, restShare, guessedShare })}\n`)
    return
  }
  const lines = reportLines(
    { ...report, warnings },
    { reward, level: choice.level, leftOut: leftOutText(collected, slates) },
  )
  for (const line of lines) terminal.write(`${line}\n`)
  if (rows !== null) terminal.write(`${rows} rows written to ${given.export ?? ''}\n`)
}

function targetOf({ temperatureTimes: text, add = [] }: OpeArguments): TargetPolicy {
  const temperatureTimes = Number(text)
  if (!(temperatureTimes >= 0.01 && temperatureTimes <= 100))
    throw new ArgumentError(`--temperature-times is ${text}; give a number from 0.01 to 100`)
  const addedWeights = new Map<string, number>()
  for (const each of add) {
    const match = /^([^=\s]+)=([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)$/i.exec(each)
    if (match === null || !Number.isFinite(Number(match[2])))
      throw new ArgumentError(`--add is ${each}; give HEAD=NUMBER, for example save=0.5`)
    addedWeights.set(match[1]!, Number(match[2]))
  }
  if (temperatureTimes === 1 && addedWeights.size === 0)
    throw new ArgumentError('the target is the logged policy; give --temperature-times or --add')
  return { temperatureTimes, addedWeights }
}

function leftOutText({ feeds, leftOut }: DrawnFeeds, { misfits }: TargetSlates): string {
  const reasons = [
    [leftOut['not-whole'], 'are not the beginning of a drawn order'],
    [leftOut['values-unknown'], 'lack the utilities of some pins'],
    [leftOut.damaged, 'are damaged'],
    [misfits, 'have probabilities that do not fit their utilities, or lack a head'],
  ] as const
  const texts = reasons.filter(([count]) => count > 0).map(([count, text]) => `${count} ${text}`)
  return `${feeds.length} drawn feeds${texts.length === 0 ? '' : `; ${texts.join(', ')}`}`
}

function restWarnings({ restShare, guessedShare }: TargetSlates): string[] {
  const share = (value: number): string => `${(100 * value).toFixed(0)} %`
  return [
    ...(guessedShare > muchRest
      ? [
          `${share(guessedShare)} of the first positions would go to candidates that are not on the page and not in the record: they count as equal to each other. Records of older blenders lack them`,
        ]
      : []),
    ...(restShare > muchRest && guessedShare <= muchRest
      ? [
          `${share(restShare)} of the first positions would go to candidates that are not on the page; their weight is an estimate, from a sample or from their utilities`,
        ]
      : []),
  ]
}

function reportLines(
  { logged, estimates, overlap, warnings }: PolicyReport,
  { reward, level, leftOut }: { readonly reward: RewardName; readonly level: number; readonly leftOut: string },
): string[] {
  const { slates, users, effectiveSlates, meanWeight, largestShare } = overlap
  const estimate = (value: number, low: number, high: number, signed: boolean): string =>
    interval({ value, low, high, standardError: NaN }, 1, signed)
  return [
    `${reward} per feed, from ${slates} feeds of ${users} users (${leftOut}). Intervals of ${Math.round(100 * level)} %, bootstrap over users`,
    `overlap: the feeds count as much as ${effectiveSlates.toFixed(0)} of the target; mean weight ${meanWeight.toFixed(3)}, largest ${(100 * largestShare).toFixed(1)} %`,
    ...warnings.map((text) => `warning: ${text}`),
    ...tableLines([
      ['estimator', 'value', 'difference to the logged policy'],
      ['logged policy', estimate(logged.value, logged.low, logged.high, false), ''],
      ...estimates.map(({ estimator, value, low, high, lift, liftLow, liftHigh }) => [
        estimator,
        estimate(value, low, high, false),
        estimate(lift, liftLow, liftHigh, true),
      ]),
    ]),
  ]
}
