/** What a stage did, as the console server says it. */
export interface StageFlow {
  readonly stage: string
  readonly candidatesIn: number
  readonly candidatesOut: number
  readonly tookMs: number | null
  readonly removed: Readonly<Record<string, number>>
  readonly errors: Readonly<Record<string, number>>
  readonly share: number
}

/** A part of the pipeline with its stages. */
export interface Phase {
  readonly name: string
  readonly rows: readonly Row[]
}

/** A line of the drawing: a stage, or stages without effect that are drawn as one. */
export type Row =
  | { readonly kind: 'stage'; readonly flow: StageFlow }
  | { readonly kind: 'quiet'; readonly flows: readonly StageFlow[] }

/** The first stages of each phase. Later stages belong to the phase before them. */
const phaseOf: Readonly<Record<string, string>> = {
  'user-state': 'Know the user',
  'await-tokens': 'Know the user',
  retrieve: 'Find candidates',
  reserve: 'Find candidates',
  itself: 'Filter',
  hidden: 'Filter',
  catalogue: 'Filter',
  requested: 'Filter',
  rank: 'Rank',
  'rank-again': 'Rank',
  explore: 'Order',
  'ranked-first': 'Order',
  'by-utility': 'Order',
  'keep-last-good': 'Serve',
  'keep-reserve': 'Serve',
  page: 'Serve',
}
/** Stages that are always drawn. */
const landmarks: ReadonlySet<string> = new Set(['user-state', 'retrieve', 'reserve', 'rank', 'rank-again', 'page'])
/** A stage that takes less than this share of the time is quiet if it removes nothing. */
const quietShare = 0.03

/** The stage of a pipeline that answers later pages, `next-page/rank-again`, without the name of the pipeline. */
function baseName(stage: string): string {
  return stage.replace('next-page/', '')
}

/** Divides stages into phases, and joins neighbours without effect if `foldsQuiet`. */
export function phasesOf(flows: readonly StageFlow[], foldsQuiet: boolean): readonly Phase[] {
  const total = flows.reduce((sum, { tookMs }) => sum + (tookMs ?? 0), 0)
  const phases: { name: string; rows: Row[] }[] = []
  for (const flow of flows) {
    const name = phaseOf[baseName(flow.stage)] ?? phases.at(-1)?.name ?? 'Prepare'
    if (phases.at(-1)?.name !== name) phases.push({ name, rows: [] })
    const { rows } = phases.at(-1)!
    const last = rows.at(-1)
    if (!foldsQuiet || !isQuiet(flow, total)) rows.push({ kind: 'stage', flow })
    else if (last?.kind === 'quiet') rows[rows.length - 1] = { kind: 'quiet', flows: [...last.flows, flow] }
    else rows.push({ kind: 'quiet', flows: [flow] })
  }
  return phases.map(({ name, rows }) => ({
    name,
    rows: rows.map((row) => (row.kind === 'quiet' && row.flows.length === 1 ? stageRow(row.flows[0]!) : row)),
  }))
}

function stageRow(flow: StageFlow): Row {
  return { kind: 'stage', flow }
}

function isQuiet({ stage, tookMs, removed, errors }: StageFlow, totalMs: number): boolean {
  const isSlow = totalMs > 0 && (tookMs ?? 0) / totalMs >= quietShare
  const hasEffect = Object.values(removed).some((count) => count > 0) || Object.keys(errors).length > 0
  return !landmarks.has(baseName(stage)) && !isSlow && !hasEffect
}

/** The removals of a stage, the largest first. */
export function removalsOf({ removed }: StageFlow): readonly (readonly [reason: string, count: number])[] {
  return Object.entries(removed)
    .filter(([, count]) => count > 0)
    .toSorted(([, a], [, b]) => b - a)
}

/** How wide the stream of candidates is drawn, pixels. Its area follows the count. */
export function streamWidth(candidates: number, most: number): number {
  if (most <= 0 || candidates <= 0) return 2
  return 3 + 23 * Math.sqrt(candidates / most)
}
