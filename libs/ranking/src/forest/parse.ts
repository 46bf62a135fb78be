import type { ForestModel } from './model.ts'
import { outputOf } from './objective.ts'
import { parseTree } from './parse-tree.ts'
import { createProblems, ForestError, type Problems } from './problems.ts'
import { refuseUnknown, splitSections, type Section, type Sections } from './sections.ts'

/**
 * Parses a model in LightGBM's text format (`Booster.save_model`), versions v3 and v4, with one score per row.
 * Throws `ForestError`, which lists all problems with line and field: what is damaged, and what this version does not
 * support: linear leaves, random forests (`average_output`), several classes, pandas categories, unknown fields.
 */
export function parseForest(text: string, file?: string): ForestModel {
  const problems = createProblems()
  const sections = splitSections(text, problems)
  const model = parseHeader(sections, problems)
  const trees = sections.trees.map((section, tree) =>
    parseTree(section, { tree, features: model.featureNames.length, problems }),
  )
  if (problems.list.length > 0) throw new ForestError(problems.report(), file)
  return { ...model, trees }
}

const headerFields = [
  'version',
  'num_class',
  'num_tree_per_iteration',
  'label_index',
  'max_feature_idx',
  'objective',
  'average_output',
  'feature_names',
  'monotone_constraints',
  'feature_infos',
  'tree_sizes',
] as const

function parseHeader(sections: Sections, problems: Problems): Omit<ForestModel, 'trees'> {
  const { header } = sections
  refuseUnknown(header, headerFields, 'the header', problems)
  checkVersion(header, problems)
  checkSupported(sections, problems)
  checkTreeSizes(sections, problems)
  const features = countOf(header, 'max_feature_idx', problems)
  const featureNames = wordsOf(header, 'feature_names', problems)
  const featureInfos = wordsOf(header, 'feature_infos', problems)
  if (features !== undefined)
    for (const [key, words] of Object.entries({ feature_names: featureNames, feature_infos: featureInfos }))
      if (words.length !== features + 1)
        problems.add(lineOf(header, key), `${key} has ${words.length} words; max_feature_idx needs ${features + 1}`)
  const objective = header.fields.get('objective')
  if (objective !== undefined && outputOf(objective.text) === null)
    problems.add(
      objective.line,
      `objective=${objective.text.slice(0, 60)} is not supported; remove the line to read raw scores`,
    )
  return { objective: objective?.text ?? '', featureNames, featureInfos }
}

function checkVersion(header: Section, problems: Problems): void {
  const version = header.fields.get('version')
  if (version === undefined) problems.add(header.line, 'version is missing; expected v3 or v4')
  else if (version.text !== 'v3' && version.text !== 'v4')
    problems.add(version.line, `version=${version.text} is not supported; save the model with LightGBM 3 or 4 (v3, v4)`)
}

function checkSupported({ header, pandasCategorical }: Sections, problems: Problems): void {
  for (const key of ['num_class', 'num_tree_per_iteration']) {
    const count = countOf(header, key, problems)
    if (count !== undefined && count !== 1)
      problems.add(
        lineOf(header, key),
        `${key}=${count}: several scores per row are not supported; train one per class`,
      )
  }
  const average = header.fields.get('average_output')
  if (average !== undefined)
    problems.add(average.line, 'average_output: random forests are not supported; train with boosting=gbdt or dart')
  if (pandasCategorical !== undefined && !['null', '[]'].includes(pandasCategorical.text.trim()))
    problems.add(
      pandasCategorical.line,
      'pandas_categorical: categories of pandas are not supported; train with whole numbers as categories',
    )
}

/** LightGBM states the bytes of every tree: a lost line or a cut file shows here. */
function checkTreeSizes({ header, trees }: Sections, problems: Problems): void {
  const sizes = wordsOf(header, 'tree_sizes', problems)
  const line = lineOf(header, 'tree_sizes')
  if (!header.fields.has('tree_sizes')) return
  if (sizes.length !== trees.length)
    problems.add(line, `tree_sizes has ${sizes.length} numbers, and the file has ${trees.length} trees`)
  trees.forEach((tree, at) => {
    const size = sizes[at]
    if (size !== undefined && Number(size) !== tree.bytes)
      problems.add(tree.line, `tree ${at} has ${tree.bytes} bytes; tree_sizes says ${size.slice(0, 20)}`)
  })
}

function lineOf(section: Section, key: string): number {
  return section.fields.get(key)?.line ?? section.line
}

function wordsOf(section: Section, key: string, problems: Problems): readonly string[] {
  const field = section.fields.get(key)
  if (field === undefined) problems.add(section.line, `${key} is missing`)
  return (field?.text ?? '').split(' ').filter((word) => word !== '')
}

function countOf(section: Section, key: string, problems: Problems): number | undefined {
  const field = section.fields.get(key)
  if (field !== undefined && /^\d{1,9}$/.test(field.text)) return Number(field.text)
  if (field === undefined) problems.add(section.line, `${key} is missing`)
  else problems.add(field.line, `${key}=${field.text.slice(0, 40)} is not a whole number of at least 0`)
  return undefined
}
