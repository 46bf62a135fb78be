import { float32Column, uint16Column, uint32Column } from '@freshet/contracts/bytes/columns'
import type { RankRequest } from '@freshet/contracts/gen/freshet/ranking/v1/ranking'
import { noRetrieval, type RetrievalColumns } from '@freshet/domain/features/retrieval'
import { idProblem } from '@freshet/domain/ids'
import { sourceNames } from '@freshet/domain/source-names'
import { invalid } from './invalid.ts'

const maxSources = 32

/** The columns about retrieval of a request, or of the record of a feed. */
type RetrievalFields = Pick<
  RankRequest,
  'pinIds' | 'retrievalRanks' | 'sources' | 'foundBy' | 'sourceRanks' | 'sourceScores'
>

/**
 * What a request says about retrieval. Columns that it leaves out are empty, as an older blender sends it; sources that this
 * version does not know count in `sourceCounts` only. Throws CALL_INVALID_ARGUMENT with the field and the problem.
 */
export function parseRetrieval(request: RetrievalFields): RetrievalColumns {
  const ranks = parseRanks(request)
  const foundBy = parseFoundBy(request)
  const sourceCounts = new Uint8Array(foundBy.length)
  let found = 0
  for (let row = 0; row < foundBy.length; row++) found += sourceCounts[row] = bitCount(foundBy[row]!)
  const rankOf = columnOf('source_ranks', request.sourceRanks, { found, width: 2 })
  const scoreOf = columnOf('source_scores', request.sourceScores, { found, width: 4 })
  if (rankOf === null || scoreOf === null) return { ...noRetrieval, ranks, sourceCounts }
  const scores = float32Column(scoreOf)
  const bad = firstNotFinite(scores)
  if (bad >= 0) throw invalid(`source_scores[${bad}]`, `is ${scores[bad]}; give a finite number`)
  return { ranks, sourceCounts, ...spread(request.sources, foundBy, { ranks: uint16Column(rankOf), scores }) }
}

function parseRanks({ retrievalRanks: bytes, pinIds }: RetrievalFields): Uint16Array {
  if (bytes.byteLength !== 0 && bytes.byteLength !== pinIds.length * 2)
    throw invalid('retrieval_ranks', `has ${bytes.byteLength} bytes; ${pinIds.length} candidates need 2 each, or none`)
  return uint16Column(bytes)
}

function parseFoundBy({ sources, foundBy: bytes, pinIds }: RetrievalFields): Uint32Array {
  if (sources.length > maxSources)
    throw invalid('sources', `has ${sources.length} names; at most ${maxSources} are allowed`)
  for (const [at, name] of sources.entries()) {
    const problem = sources.indexOf(name) < at ? `repeats ${JSON.stringify(name)}; name each once` : idProblem(name)
    if (problem !== null) throw invalid(`sources[${at}]`, problem)
  }
  if (bytes.byteLength !== 0 && bytes.byteLength !== pinIds.length * 4)
    throw invalid('found_by', `has ${bytes.byteLength} bytes; ${pinIds.length} candidates need 4 each, or none`)
  const foundBy = uint32Column(bytes)
  const unnamed = sources.length < maxSources ? firstAbove(foundBy, 2 ** sources.length) : -1
  if (unnamed >= 0)
    throw invalid(`found_by[${unnamed}]`, `sets a bit of a source that is not among the ${sources.length} of sources`)
  return foundBy
}

/** null: the column is left out. */
function columnOf(
  field: string,
  bytes: Uint8Array,
  { found, width }: { readonly found: number; readonly width: number },
): Uint8Array | null {
  if (bytes.byteLength === 0) return null
  if (bytes.byteLength !== found * width)
    throw invalid(field, `has ${bytes.byteLength} bytes; the ${found} bits of found_by need ${width} each, or none`)
  return bytes
}

/** Spreads the numbers of the set bits over one row of `sourceNames` per candidate. */
function spread(
  sources: readonly string[],
  foundBy: Uint32Array,
  { ranks, scores }: { readonly ranks: Uint16Array; readonly scores: Float32Array },
): Pick<RetrievalColumns, 'sourceRanks' | 'sourceScores'> {
  const columns = sources.map((name) => (sourceNames as readonly string[]).indexOf(name))
  const sourceRanks = new Float32Array(foundBy.length * sourceNames.length)
  const sourceScores = new Float32Array(sourceRanks.length)
  let next = 0
  for (let row = 0; row < foundBy.length; row++) {
    for (let left = foundBy[row]!; left !== 0; left &= left - 1, next++) {
      const column = columns[31 - Math.clz32(left & -left)]!
      if (column < 0) continue
      const at = row * sourceNames.length + column
      sourceRanks[at] = 1 / (1 + ranks[next]!)
      sourceScores[at] = scores[next]!
    }
  }
  return { sourceRanks, sourceScores }
}

/** The first row whose bits reach a limit; −1: none. */
function firstAbove(column: Uint32Array, limit: number): number {
  for (let row = 0; row < column.length; row++) if (column[row]! >= limit) return row
  return -1
}

/** The first row that is not a finite number; −1: none. */
export function firstNotFinite(column: Float32Array): number {
  for (let row = 0; row < column.length; row++) if (!Number.isFinite(column[row]!)) return row
  return -1
}

/** Adds up neighbouring bits, pairs, nibbles and bytes. */
function bitCount(bits: number): number {
  const pairs = bits - ((bits >>> 1) & 0x55555555)
  const nibbles = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333)
  return Math.imul((nibbles + (nibbles >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}
