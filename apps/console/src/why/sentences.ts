import type { ExplainedAbsence, ExplainedPin, ExplainedSource } from '../api/blender.ts'
import type { Because } from '../feed/because.ts'
import { featureInWords, headInWords, sourceInWords, stageInWords } from './names.ts'

/** A share for a person: 4.4 %, < 0.1 %. */
export function percent(share: number): string {
  const value = share * 100
  if (value !== 0 && Math.abs(value) < 0.1) return '< 0.1 %'
  return `${value.toFixed(Math.abs(value) < 10 ? 1 : 0)} %`
}

/** A part of a utility with its sign. */
export function signed(value: number): string {
  const digits = Math.abs(value) < 0.01 ? 4 : Math.abs(value) < 1 ? 3 : 2
  return `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(digits)}`
}

/** Why a pin is on the page, as sentences in the order in which they matter. */
export function sentencesFor(
  pin: ExplainedPin,
  because: Because | null,
  titleOf: (pinId: string) => string,
): readonly string[] {
  const sentences: string[] = []
  if (because) {
    const { seed, source, others } = because
    const also = others.length === 0 ? '' : `, and from ${others.length} more of your actions`
    sentences.push(`${sentence(actedInWords(seed, titleOf))}: ${source} started from that${also}.`)
  }
  const [best, ...others] = bestFirst(pin.sources)
  if (best) {
    const rank = best.rank === undefined ? '' : `, as number ${best.rank + 1} there`
    const also =
      others.length === 0 ? '' : `, and by ${others.length} more ${others.length === 1 ? 'source' : 'sources'}`
    sentences.push(`It was found by ${sourceInWords(best.source)}${rank}${also}.`)
  }
  const likely = pin.heads.toSorted((a, b) => (b.utilityPart ?? 0) - (a.utilityPart ?? 0))[0]
  if (likely)
    sentences.push(`The chance that you ${headInWords(likely.head)} is ${percent(likely.value)}, says the model.`)
  const push = pin.features.find(({ utilityContribution }) => (utilityContribution ?? 0) > 0)
  if (push)
    sentences.push(`What speaks for it most is ${featureInWords(push.name)} (${signed(push.utilityContribution!)}).`)
  const pull = pin.features.find(({ utilityContribution }) => (utilityContribution ?? 0) < 0)
  if (pull)
    sentences.push(
      `What speaks against it most is ${featureInWords(pull.name)} (${signed(pull.utilityContribution!)}).`,
    )
  if (pin.exploration !== undefined && Math.abs(pin.exploration) > Math.abs(pin.utility))
    sentences.push(`It is also a try: little is known here, and exploration gave it ${signed(pin.exploration)}.`)
  const moves = movesInWords(pin.moves)
  if (moves !== '') sentences.push(moves)
  return sentences
}

/** Sources by the rank that they gave the pin. */
export function bestFirst(sources: readonly ExplainedSource[]): readonly ExplainedSource[] {
  return sources.toSorted((a, b) => (a.rank ?? Infinity) - (b.rank ?? Infinity))
}

type Seed = ExplainedSource['seeds'][number]

const acted: Readonly<Record<string, string>> = { SAVE: 'saved', CLICK: 'clicked', CLOSEUP: 'opened' }

function actedInWords({ pinId, action }: Seed, titleOf: (pinId: string) => string): string {
  return `you ${acted[action.replace('ACTION_', '')] ?? 'acted on'} ${titleOf(pinId) || pinId}`
}

function sentence(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1)
}

/** Actions in words, the first `most` by name. */
export function seedsInWords(seeds: readonly Seed[], titleOf: (pinId: string) => string, most: number): string {
  const named = seeds.slice(0, most).map((seed) => actedInWords(seed, titleOf))
  return [...named, ...(seeds.length > most ? [`${seeds.length - most} more`] : [])].join(', ')
}

/** What the ordering did in all, with the stage that did most of it; empty: nothing. */
function movesInWords(moves: ExplainedPin['moves']): string {
  const up = moves.reduce((sum, { from, to }) => sum + from - to, 0)
  const most = moves.toSorted((a, b) => Math.abs(b.from - b.to) - Math.abs(a.from - a.to))[0]
  if (!most || most.from === most.to) return ''
  const reason = stageInWords(most.why) ?? most.why
  if (up === 0) return `The ordering moved it and put it back where it was (mostly ${reason}).`
  const places = `${Math.abs(up)} ${Math.abs(up) === 1 ? 'place' : 'places'}`
  return `The ordering moved it ${up > 0 ? 'up' : 'down'} ${places} in all, mostly because ${reason}.`
}

/** Why a pin is not on the page. */
export function absenceInWords(absence: ExplainedAbsence, title: string): readonly string[] {
  const { wasCandidate, stage, reason, utility, lastUtility, retrievalRank, text } = absence
  if (!wasCandidate) return [`${title} was not considered: no source found it for you.`, ...(text ? [text] : [])]
  const sentences: string[] = []
  if (retrievalRank !== undefined)
    sentences.push(`${title} was found, as number ${retrievalRank + 1} of all candidates.`)
  const words = stageInWords(stage)
  if (stage !== '')
    sentences.push(
      `It fell at ${stage}${reason && reason !== stage ? ` (${reason})` : ''}${words ? `: ${words}` : ''}.`,
    )
  if (utility !== undefined && lastUtility !== undefined)
    sentences.push(`Its utility was ${utility.toFixed(3)}; the last pin of the page had ${lastUtility.toFixed(3)}.`)
  return sentences.length > 0 ? sentences : [text]
}
