import { canonicalJson, type Plan } from '../plan/plan.ts'
import { formatType } from '../plan/value-type.ts'
import { exploreId, firstPhaseId } from './declare.ts'
import { formulaOf, isNamed } from './plan-text.ts'

/** One statement that two plans do not share. */
export interface PlanChange {
  /** For example `feature rate`, `head save`, `utility`. */
  readonly statement: string
  /** Its meaning in the old plan; null: it is new. */
  readonly before: string | null
  /** Its meaning in the new plan; null: it is gone. */
  readonly after: string | null
}

/**
 * What differs between two plans, statement by statement. Layout, order, comments, unused statements and functions that compute
 * the same do not count; a statement that only reads a changed one has not changed itself.
 */
export function diffPlans(before: Plan, after: Plan): readonly PlanChange[] {
  const [old, young] = [statementsOf(before), statementsOf(after)]
  const names = [...new Set([...old.keys(), ...young.keys()])]
  return names
    .map((statement) => ({ statement, before: old.get(statement) ?? null, after: young.get(statement) ?? null }))
    .filter((change) => change.before !== change.after)
}

/** A change as one line: `+ rate = …`, `- rate = …` or `~ rate: … → …`. */
export function formatChange({ statement, before, after }: PlanChange): string {
  if (before === null) return `+ ${statement}: ${after ?? ''}`
  return after === null ? `- ${statement}: ${before}` : `~ ${statement}: ${before} → ${after}`
}

function statementsOf(plan: Plan): ReadonlyMap<string, string> {
  const heads = new Set(plan.heads.map(({ name }) => name))
  const entries: [string, string][] = [
    ['spec', plan.spec],
    ...plan.inputs.map(({ name, type, side }): [string, string] => [`input ${name}`, `${formatType(type)}, ${side}`]),
    ...plan.nodes
      .filter((node) => isNamed(node) && !heads.has(node.id) && node.id !== firstPhaseId && node.id !== exploreId)
      .map(({ id }): [string, string] => [id, formulaOf(plan, id)]),
    ...plan.heads.map(({ name, kind, label, lossWeight, calibrate, value }): [string, string] => [
      `head ${name}`,
      `${kind} = ${ownFormula(plan, value, name)}, label: ${label}, loss: ${lossWeight}, calibrate: ${calibrate}`,
    ]),
    ...plan.utility.map(({ head, weight }): [string, string] => [`utility of ${head}`, String(weight)]),
    ...plan.trainingOnly.map(({ input, servingValue }): [string, string] => [
      `training only ${input}`,
      String(servingValue),
    ]),
    ['expose', plan.exposed.join(', ')],
    ['train', canonicalJson(plan.training)],
  ]
  if (plan.firstPhase !== null)
    entries.push([
      'first phase',
      `keep ${plan.firstPhase.keep} by ${ownFormula(plan, plan.firstPhase.score, firstPhaseId)}`,
    ])
  if (plan.exploration !== undefined) entries.push(['explore', ownFormula(plan, plan.exploration, exploreId)])
  return new Map(entries)
}

/** The formula of a statement's value, or the name of the other statement that it is. */
function ownFormula(plan: Plan, value: string, statement: string): string {
  return value === statement ? formulaOf(plan, value) : value
}
