import { actions, type Action } from '@freshet/domain/engagement'
import { nearest } from '@freshet/domain/nearest'
import { ImportError } from './problem.ts'

const comparisons = ['>=', '<=', '!=', '=', '>', '<'] as const
type Comparison = (typeof comparisons)[number]

/** A rule that gives rows an action if a column matches; null: such rows are skipped. */
export interface Rule {
  /** `*`: every row. */
  readonly column: string
  readonly comparison: Comparison
  readonly value: string
  readonly action: Action | null
}

/** The content of `--map`: fields of columns, and rules for actions. */
export interface MapOption {
  readonly mapped: ReadonlyMap<string, string | null>
  readonly rules: readonly Rule[]
}

/** Names of actions in other products. */
export const actionSynonyms: Readonly<Record<string, Action>> = {
  view: 'closeup',
  pageview: 'closeup',
  detail: 'closeup',
  open: 'closeup',
  pv: 'closeup',
  play: 'click',
  clickout: 'click',
  read: 'click',
  cart: 'click',
  addtocart: 'click',
  like: 'save',
  favorite: 'save',
  favourite: 'save',
  fav: 'save',
  bookmark: 'save',
  buy: 'save',
  purchase: 'save',
  transaction: 'save',
  order: 'save',
  dislike: 'hide',
  impress: 'impression',
  show: 'impression',
}

/** Reads `column=field`, `column=-` and `rating>=4:save` (`:-` skips such rows; `*:click` matches every row), separated by commas. Throws an ImportError. */
export function parseMap(texts: readonly string[]): MapOption {
  const mapped = new Map<string, string | null>()
  const rules: Rule[] = []
  for (const text of texts.flatMap((each) => each.split(','))) {
    const entry = text.trim()
    if (entry === '') continue
    const rule = /^(.+):([A-Za-z]+|-)$/.exec(entry)
    if (rule !== null) {
      rules.push(parseRule(entry, (rule[1] ?? '').trim(), rule[2] ?? ''))
      continue
    }
    const at = entry.lastIndexOf('=')
    const column = entry.slice(0, at).trim()
    const field = entry.slice(at + 1).trim()
    if (at < 1 || field === '' || /[<>!]$/.test(column))
      throw new ImportError('', `--map ${entry}: give column=field, column=- or a rule such as rating>=4:save`)
    mapped.set(column, field === '-' ? null : field)
  }
  return { mapped, rules }
}

function parseRule(entry: string, condition: string, name: string): Rule {
  if (name !== '-' && !actions.includes(name as Action)) {
    const near = nearest(name, actions)
    throw new ImportError(
      '',
      `--map ${entry}: there is no action ${name}${near === null ? '' : `; did you mean ${near}?`} (actions: ${actions.join(', ')})`,
    )
  }
  const action = name === '-' ? null : (name as Action)
  if (condition === '*') return { column: '*', comparison: '=', value: '', action }
  for (const comparison of comparisons) {
    const at = condition.indexOf(comparison)
    if (at < 1) continue
    const column = condition.slice(0, at).trim()
    const value = condition
      .slice(at + comparison.length)
      .replace(/^=/, '')
      .trim()
    if (comparison !== '=' && comparison !== '!=' && (value === '' || !Number.isFinite(Number(value))))
      throw new ImportError(
        '',
        `--map ${entry}: ${comparison} compares numbers, but ${JSON.stringify(value)} is not a number`,
      )
    return { column, comparison, value, action }
  }
  throw new ImportError('', `--map ${entry}: give a rule such as rating>=4:save or event=view:closeup`)
}

/** Whether a cell matches a rule; undefined: the rule compares numbers, but the cell is not a number. */
export function matches({ comparison, value }: Rule, cell: string): boolean | undefined {
  if (comparison === '=' || comparison === '!=') {
    const same = cell === value || (cell !== '' && value !== '' && Number(cell) === Number(value))
    return same === (comparison === '=')
  }
  const number = cell === '' ? Number.NaN : Number(cell)
  if (Number.isNaN(number)) return undefined
  const bound = Number(value)
  if (comparison === '>=') return number >= bound
  if (comparison === '<=') return number <= bound
  return comparison === '>' ? number > bound : number < bound
}

/** Rules for ratings, and the maximum rating of their scale. */
export interface RatingRules {
  readonly scale: number
  readonly rules: readonly Rule[]
}

const scales = [1, 5, 10, 100] as const

/**
 * Rules for a scale of ratings: from four fifths a save, from three fifths a closeup, below a dismiss. Cells that are not ratings are refused row by row,
 * as long as they are fewer than half. Throws an ImportError if the sample does not show the scale.
 */
export function ratingRules(file: string, column: string, sample: readonly string[]): RatingRules {
  const given = sample.filter((cell) => cell !== '')
  const word = given.find((cell) => Number.isNaN(Number(cell)))
  const numbers = given.map(Number).filter((number) => !Number.isNaN(number))
  if (word !== undefined && 2 * numbers.length <= given.length) {
    throw new ImportError(
      file,
      `the column ${column} contains ${JSON.stringify(word)}, which is not a number (the decimal separator is a point); give rules, for example --map '${column}=${word}:save'`,
    )
  }
  const possible = numbers.filter((value) => value >= 0 && value <= 100)
  const scale = scales.find((most) => isScaleOf(possible, most))
  if (scale === undefined || (numbers.length > 0 && 2 * possible.length <= numbers.length)) {
    throw new ImportError(
      file,
      `the column ${column} is not a known scale of ratings (0–1, 5, 10, 100): its values range from ${Math.min(...numbers)} to ${Math.max(...numbers)}; give rules, for example --map '${column}>=4:save,${column}<4:closeup'`,
    )
  }
  const rule = (comparison: Comparison, share: number, action: Action): Rule => ({
    column,
    comparison,
    value: String((scale * share) / 10),
    action,
  })
  return { scale, rules: [rule('>=', 8, 'save'), rule('>=', 6, 'closeup'), rule('<', 6, 'dismiss')] }
}

/** Whether ratings are of a scale: all are, or all but one in 20, or one of at least three, that are far above it. */
function isScaleOf(numbers: readonly number[], most: number): boolean {
  const above = numbers.filter((value) => value > most)
  const isFew = 20 * above.length <= numbers.length || (above.length === 1 && numbers.length >= 3)
  return above.length === 0 || (isFew && most > 1 && above.every((value) => value > 2 * most))
}

/** A rule in the syntax of `--map`. */
export function shownRule({ column, comparison, value, action }: Rule): string {
  return `${column === '*' ? '*' : `${column}${comparison}${value}`}:${action ?? '-'}`
}
