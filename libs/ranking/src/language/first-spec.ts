import { maxDistinct, type ColumnProfile, type RowsProfile } from './column-profile.ts'
import { formatSpec } from './format.ts'

/** A name that a spec can write. */
const name = /^[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*$/

/**
 * A first spec for a file of rows: an embedding for each category, a scaled number for each number, a DCN-v2 over all and a head
 * for each label. A comment gives the reason for each input, and for each value that is left out.
 */
export function firstSpecOf(profile: RowsProfile, specName: string, source: string): string {
  const used = profile.columns.filter((column) => whyNot(column, profile) === null)
  const left = profile.columns.flatMap((column) => whyNot(column, profile) ?? [])
  const features = used.map((column) => ({
    column,
    feature: `${column.name.replaceAll('.', '_')}_in`,
    formula: formulaOf(column),
  }))
  const heads = profile.labels.filter((label) => name.test(label.name))
  const lines = [
    `# Written from ${source}: ${profile.rows} rows. Every line is a proposal; change what you know better.`,
    `spec ${specName}`,
    '',
    ...used.map((column) => `input ${column.name}: ${typeOf(column)} # ${reasonFor(column, profile.rows)}`),
    ...left.map((reason) => `# left out: ${reason}`),
    '',
    ...features.map(({ column, feature, formula }) => `feature ${feature} = ${formula} # ${whyFormula(column)}`),
    '',
    `layer trunk = dcn_v2(concat(${features.map(({ feature }) => feature).join(', ')}), cross: 3, hidden: [128, 64])`,
    ...heads.map(
      (label) =>
        `head ${headName(label.name, used)}: ${label.isBinary ? 'probability' : 'amount'} = linear(trunk), label: "${label.name}" # ${label.rows} rows, mean ${round(label.mean)}`,
    ),
    ...(heads.length > 1
      ? [
          `utility = ${heads.map((label) => headName(label.name, used)).join(' + ')} # weights of 1; say what each is worth`,
        ]
      : []),
    '',
    `train epochs: 20, batch: ${profile.rows < 100_000 ? 512 : 4096}, rate: 0.001, l2: 0.00001, dropout: 0.2`,
  ]
  return formatSpec(lines.join('\n'), specName)
}

/** Why a value is not an input; null: it is one. */
function whyNot(column: ColumnProfile, { rows, labels }: RowsProfile): string | null {
  if (!name.test(column.name)) return `${JSON.stringify(column.name)} is not a name that a spec can write`
  if (labels.some((label) => label.name === column.name)) return `${column.name} is also a label`
  if (column.distinct < 2) return `${column.name} has one value in all rows`
  if (column.kind === 'category' && column.distinct === column.present && rows > 1)
    return `${column.name} has another value in every row, so there is nothing to learn from it`
  return null
}

function headName(label: string, used: readonly ColumnProfile[]): string {
  const plain = label.replaceAll('.', '_')
  return used.some((column) => column.name === plain) ? `${plain}_head` : plain
}

function typeOf({ kind, max }: ColumnProfile): string {
  return kind === 'number' ? 'scalar' : kind === 'category' ? 'category' : `sequence[${Math.max(1, max)}] of category`
}

function reasonFor({ kind, present, distinct, min, max }: ColumnProfile, rows: number): string {
  const missing = present === rows ? 'never missing' : `missing in ${round(((rows - present) / rows) * 100)} %`
  const values = `${distinct >= maxDistinct ? 'at least ' : ''}${distinct} values`
  return kind === 'number' ? `${values} from ${round(min)} to ${round(max)}, ${missing}` : `${values}, ${missing}`
}

/** Few numbers are codes; positive numbers over a wide range are counts; other numbers are standardised. */
function formulaOf(column: ColumnProfile): string {
  const { kind, name: input } = column
  if (kind === 'number') return isWide(column) ? `standardise(log1p(${input}))` : `standardise(${input})`
  return `embedding(hash(${input}, rows: ${tableRows(column)}), size: ${sizeOf(column)})`
}

function whyFormula(column: ColumnProfile): string {
  if (column.kind === 'number')
    return isWide(column) ? 'a wide range of positive numbers: its logarithm' : 'mean 0, variance 1'
  return `about ${round(tableRows(column) / column.distinct)} rows for each value, two hash functions`
}

function isWide({ min, max }: ColumnProfile): boolean {
  return min >= 0 && max > 100
}

/** A power of two of at least twice the number of values. */
function tableRows({ distinct }: ColumnProfile): number {
  return 2 ** Math.max(4, Math.ceil(Math.log2(2 * distinct)))
}

function sizeOf({ distinct }: ColumnProfile): number {
  return distinct < 10 ? 4 : distinct < 1_000 ? 8 : 16
}

function round(value: number): string {
  return String(Number(value.toPrecision(3)))
}
