import { dotOf, explainPlan, formatExplanation } from '@freshet/ranking/language/explain'
import { formatProblem } from '@freshet/ranking/language/problem'
import { formatUtilityShares, utilitySharesOf } from '@freshet/ranking/language/utility-shares'
import type { ModelArtefact } from '@freshet/ranking/artefact/bytes'
import { predictTable } from '@freshet/ranking/model/predict-table'
import { weightedMean } from '@freshet/ranking/training/figures'
import { transformCatalogue } from '@freshet/ranking/transforms/catalogue'
import { refuse } from '../arguments.ts'
import type { Terminal } from '../operations/terminal.ts'
import { chooseBackendOf, readModelFile } from './model-file.ts'
import { readRowsFile } from './rows-file.ts'
import { planOfFile } from './spec-file.ts'

/** The arguments of the command, as text. */
export interface ExplainArguments {
  readonly model?: string
  readonly rows?: string
  readonly backend: string
  readonly json?: boolean
  readonly dot?: boolean
}

/** Mean predictions of heads, with where they are from. */
interface Means {
  readonly byHead: ReadonlyMap<string, number>
  readonly source: string
}

/** `freshet spec explain`: the graph of a spec, with types, sides and cost, and what each head adds to the utility. */
export async function runSpecExplain(file: string, given: ExplainArguments, terminal: Terminal): Promise<void> {
  const { plan, warnings } = await planOfFile(file)
  for (const warning of warnings) terminal.progress.write(`${formatProblem(warning)}\n`)
  if (given.dot === true) return terminal.write(dotOf(plan))
  if (given.rows !== undefined && given.model === undefined)
    return refuse('--rows needs --model: mean predictions are those of a trained model')
  const artefact = given.model === undefined ? null : await readModelFile(given.model, plan)
  const means = artefact && (await meansOf(artefact, given, terminal))
  const explanation = explainPlan(plan, transformCatalogue)
  const shares = means && utilitySharesOf(plan, means.byHead)
  if (given.json === true) {
    const model = artefact && { version: artefact.manifest.version, meansFrom: means!.source, shares }
    terminal.write(`${JSON.stringify({ ...explanation, model })}\n`)
    return
  }
  const lines = formatExplanation(explanation)
  for (const line of lines) terminal.write(`${line}\n`)
  if (shares === null) return
  for (const line of formatUtilityShares(shares, means!.source)) terminal.write(`${line}\n`)
  if (shares.some(({ meanPrediction }) => meanPrediction === null))
    terminal.write('the model does not say a mean prediction of each head; give --rows with rows to compute it from\n')
}

async function meansOf(
  { manifest, model }: ModelArtefact,
  { rows, backend }: ExplainArguments,
  terminal: Terminal,
): Promise<Means> {
  if (rows === undefined) {
    const { meanPredictions = {}, heldOutRows, version } = manifest
    return { byHead: new Map(Object.entries(meanPredictions)), source: `${version} on ${heldOutRows} held-out rows` }
  }
  const say = (text: string): void => void terminal.progress.write(`${text}\n`)
  await chooseBackendOf(backend)
  const table = await readRowsFile(model.plan, rows, say, { needsLabels: false })
  const predictions = predictTable(model, table)
  const weights = table.weights ?? new Float32Array(table.rows).fill(1)
  return {
    byHead: new Map(model.plan.heads.map(({ name }, at) => [name, weightedMean(predictions[at]!, weights)])),
    source: `${manifest.version} on ${table.rows} rows of ${rows}`,
  }
}
