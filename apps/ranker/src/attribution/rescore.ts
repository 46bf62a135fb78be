import type { ReadCandidates } from '@freshet/ranking/features/read-candidates'
import type { RankingPage } from '@freshet/ranking/serving/page'
import { rowsOfRead } from '@freshet/ranking/serving/page-rows'
import type { PageScores, ServingModel } from '@freshet/ranking/serving/serving-model'

/**
 * Scores all pins of a page from what was read about them. A first phase leaves none of them out: the page is scored in parts of
 * as many pins as the first phase keeps.
 */
export function rescoreRows(model: ServingModel, page: RankingPage, read: ReadCandidates): PageScores {
  const rows = page.pinIds.length
  const most = model.firstPhaseKeep ?? rows
  if (rows <= most) return model.rescore(page, read)
  const width = model.featureNames.length
  const parts = Array.from({ length: Math.ceil(rows / most) }, (_, part) => {
    const [from, to] = [part * most, Math.min(rows, (part + 1) * most)]
    const pins = {
      features: read.features.subarray(from * width, to * width),
      pins: read.pins.slice(from, to),
    }
    return { from, scores: model.rescore(partOf(page, from, to), pins) }
  })
  const [first] = parts
  const utilities = new Float32Array(rows)
  const predictions = new Float32Array(rows * model.heads.length)
  const exposed = new Float32Array(rows * model.exposedNames.length)
  for (const { from, scores } of parts) {
    const count = scores.utilities.length
    utilities.set(scores.utilities, from)
    exposed.set(scores.exposed, from * model.exposedNames.length)
    for (let head = 0; head < model.heads.length; head++)
      predictions.set(scores.predictions.subarray(head * count, (head + 1) * count), head * rows + from)
  }
  const { facts, deviations } = first!.scores
  const readRows = (places: Int32Array) => rowsOfRead(read, places, model.pinInputs)
  return { facts, deviations, features: read.features, utilities, predictions, exposed, readRows }
}

/** Some pins of a page. Its features are read already, so their columns of retrieval do not matter. */
function partOf(page: RankingPage, from: number, to: number): RankingPage {
  const { foundBy } = page.request
  return {
    ...page,
    pinIds: page.pinIds.slice(from, to),
    retrievalScores: page.retrievalScores.subarray(from, to),
    request: { ...page.request, foundBy: foundBy.subarray(from, to) },
  }
}
