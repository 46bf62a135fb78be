import type { IToken } from 'chevrotain'
import { statementWordOf } from '../lines.ts'
import { headKinds, headOptions, trainOptions } from '../model-statements.ts'
import { choicesOf, parametersOf } from '../options.ts'
import { operatorNotations } from '../reference.ts'
import { statementReference } from '../statement-reference.ts'
import * as t from '../tokens.ts'
import { typeNames } from '../types.ts'
import { groupOf } from '../declare.ts'
import type { SpecAnalysis } from './analysis.ts'
import { callAround, cursorAt, optionBefore } from './cursor.ts'
import { describeInput, describeName, describeTransform, describeWord, type NameDescription } from './describe.ts'
import { markdownOf } from './hover.ts'

/** A proposal of an editor. */
export interface Completion {
  readonly label: string
  readonly kind: NameDescription['kind'] | 'option' | 'value' | 'type'
  /** One line about it. */
  readonly detail: string
  /** Markdown. */
  readonly documentation: string
}

/** What may stand at an offset, and the offset from which a proposal replaces the text. */
export interface Completions {
  readonly from: number
  readonly items: readonly Completion[]
}

/** Proposes statements, names, transforms, options and their values for the place of the cursor. */
export function completionsAt(analysis: SpecAnalysis, offset: number): Completions {
  const cursor = cursorAt(analysis.text, offset)
  if (cursor === null) return { from: offset, items: [] }
  const { before, from, isLineStart } = cursor
  const items = before.length === 0 ? statementItems() : itemsIn(analysis, before)
  return { from, items: isLineStart && before.length > 0 ? [...items, ...statementItems()] : items }
}

function itemsIn(analysis: SpecAnalysis, before: readonly IToken[]): readonly Completion[] {
  const word = statementWordOf(before[0]!)
  const option = optionBefore(before)
  const call = callAround(before)
  if (call !== null) {
    const transform = analysis.catalogue.get(call)
    const choices = transform === undefined || option === null ? [] : choicesOf(transform.params, option)
    if (option !== null) return choices.length > 0 ? valueItems(choices) : namesOf(analysis, ['const'])
    const options = transform === undefined ? [] : parametersOf(transform.params).map(({ name }) => name)
    return [...optionItems(options), ...formulaItems(analysis)]
  }
  if (option !== null && (word === 'head' || word === 'train')) {
    if (word === 'head' && before.length === 3) return valueItems(headKinds)
    const choices = choicesOf(word === 'head' ? headOptions : trainOptions, option)
    return choices.length > 0 ? valueItems(choices) : namesOf(analysis, ['const'])
  }
  return itemsOfStatement(analysis, word, before)
}

function itemsOfStatement(
  analysis: SpecAnalysis,
  word: ReturnType<typeof statementWordOf>,
  before: readonly IToken[],
): readonly Completion[] {
  const has = (type: typeof t.Equals): boolean => before.some(({ tokenType }) => tokenType === type)
  switch (word) {
    case 'input':
      return has(t.Colon) ? typeItems() : undeclaredInputs(analysis, before)
    case 'expose':
      return namesOf(analysis, ['input', 'feature', 'layer'])
    case 'training only':
      return has(t.Equals) ? [] : namesOf(analysis, ['input'])
    case 'utility':
      return namesOf(analysis, ['head', 'const'])
    case 'train':
      return optionItems(parametersOf(trainOptions).map(({ name }) => name))
    case 'spec':
      return before.length === 2 ? valueItems(['extends']) : []
    case 'first phase':
      return before.length === 1 ? valueItems(['keep']) : [...formulaItems(analysis), ...valueItems(['by'])]
    case 'head': {
      const isAfterComma = before.at(-1)!.tokenType === t.Comma
      if (has(t.Equals)) return isAfterComma ? optionItems(Object.keys(headOptions.shape)) : formulaItems(analysis)
      return []
    }
    default:
      return has(t.Equals) ? formulaItems(analysis) : []
  }
}

function statementItems(): readonly Completion[] {
  return statementReference.map(({ word }) => itemOf(word, describeWord(word)!))
}

function formulaItems(analysis: SpecAnalysis): readonly Completion[] {
  const groups = new Set(analysis.spec.inputs.map(({ name }) => groupOf(name)).filter((group) => group !== ''))
  const transforms = [...analysis.catalogue.values()]
    .filter(({ name }) => !(name in operatorNotations))
    .map((transform) => itemOf(transform.name, describeTransform(transform)))
  return [
    ...namesOf(analysis, ['input', 'const', 'function', 'feature', 'layer']),
    ...[...groups].map((group): Completion => {
      return { label: `${group}.*`, kind: 'input', detail: `all declared inputs of ${group}`, documentation: '' }
    }),
    ...transforms,
  ]
}

/** The declared names of some kinds. */
function namesOf(analysis: SpecAnalysis, kinds: readonly NameDescription['kind'][]): readonly Completion[] {
  const names = analysis.statements.flatMap(({ statement }) => {
    if (statement.kind === 'input') return statement.names.map(({ name }) => name)
    return 'name' in statement && statement.kind !== 'spec' && statement.kind !== 'training only'
      ? [statement.name.name]
      : []
  })
  return [...new Set(names)].flatMap((name) => {
    const description = describeName(analysis, name)
    return description !== null && kinds.includes(description.kind) ? [itemOf(name, description)] : []
  })
}

function undeclaredInputs({ inputs, spec }: SpecAnalysis, before: readonly IToken[]): readonly Completion[] {
  const declared = new Set([...spec.inputs.map(({ name }) => name), ...before.map(({ image }) => image)])
  return (inputs ?? [])
    .filter(({ name }) => !declared.has(name))
    .map((input) => itemOf(input.name, describeInput(input)))
}

function itemOf(label: string, description: NameDescription): Completion {
  return { label, kind: description.kind, detail: description.title, documentation: markdownOf(description) }
}

function optionItems(names: readonly string[]): readonly Completion[] {
  return names.map((name) => ({ label: `${name}:`, kind: 'option', detail: 'option', documentation: '' }))
}

function valueItems(values: readonly string[]): readonly Completion[] {
  return values.map((value) => ({ label: value, kind: 'value', detail: 'value', documentation: '' }))
}

function typeItems(): readonly Completion[] {
  return typeNames.map((name) => ({ label: name, kind: 'type', detail: 'type', documentation: '' }))
}
