import { normalise } from '@freshet/embeddings/content-map'
import type { PinId } from '@freshet/domain/ids'
import { ImageQuestionError } from '../errors.ts'
import { createInterruption, uninterrupted } from '../interruption.ts'
import type { ImageQuestion, RetrievedCandidates, RetrieveQuery } from '../question.ts'
import type { SourceQuery } from '../source.ts'
import type { Catalogue } from '../views/catalogue.ts'
import type { EnabledSource } from './enabled-sources.ts'

/** What a search for similar pictures works with. */
export interface ImageSearch {
  readonly enabled: readonly EnabledSource[]
  readonly catalogue: Pick<Catalogue, 'rowOf' | 'pinIdOf'>
  readonly clock: { now(): number } | undefined
}

/**
 * The accepted pins whose visual embeddings have the largest cosine with that of a picture; the scores are the cosines.
 * Throws an ImageQuestionError if no enabled source holds visual embeddings, or if the picture has none that can be compared.
 */
export function searchImages(
  {
    image,
    query,
    request,
  }: { readonly image: ImageQuestion; readonly query: SourceQuery; readonly request: RetrieveQuery },
  { enabled, catalogue, clock }: ImageSearch,
): RetrievedCandidates {
  const source = enabled.find((each) => each.source.images !== undefined)?.source
  if (source?.images === undefined)
    throw new ImageQuestionError('IMAGE_SEARCH_OFF', 'no enabled source holds visual embeddings')
  const { images } = source
  const own = 'pinId' in image ? catalogue.rowOf(image.pinId) : -1
  const wanted = 'pinId' in image ? vectorOfPin(image.pinId, own, images) : vectorOf(image.embedding, images.dimensions)
  const startedAtMs = clock?.now() ?? 0
  const deadlineMs = request.deadlineMs ?? Infinity
  const interruption =
    clock === undefined ? uninterrupted : createInterruption(() => clock.now() - startedAtMs > deadlineMs)
  const accept = (row: number): boolean => row !== own && query.isEligible(row)
  const { rows, scores } = images.search(wanted, request.limit, { accept, due: interruption.due })
  const found = {
    candidates: Int32Array.from(rows, (_, at) => at),
    scores,
    ranks: Int32Array.from(rows, (_, at) => at + 1),
  }
  return {
    pinIds: Array.from(rows, (row) => catalogue.pinIdOf(row)),
    scores,
    sources: [{ name: source.name, ...found }],
    skipped: [],
    interrupted: interruption.happened ? [source.name] : [],
    incomplete: [],
    seeds: new Map(),
    times: [],
    sweptTo: request.sweptTo ?? 0,
    exhausted: false,
    shownBefore: 0,
  }
}

type Images = Pick<NonNullable<EnabledSource['source']['images']>, 'get' | 'dimensions'>

function vectorOfPin(pinId: PinId, row: number, images: Images): Float32Array {
  const vector = row < 0 ? null : images.get(row)
  if (vector !== null) return vector.slice()
  const problem = row < 0 ? 'is not in the catalogue' : 'has no visual embedding that can be compared'
  throw new ImageQuestionError('IMAGE_PIN_WITHOUT_EMBEDDING', `${pinId} ${problem}`)
}

function vectorOf(embedding: Float32Array, width: number): Float32Array {
  if (width === 0) throw new ImageQuestionError('IMAGE_SEARCH_OFF', 'the catalogue has no visual embeddings')
  if (embedding.length !== width)
    throw new ImageQuestionError(
      'IMAGE_WRONG_WIDTH',
      `has ${embedding.length} numbers; the visual embeddings of the catalogue have ${width}`,
    )
  const vector = embedding.slice()
  if (!normalise(vector, 0, vector.length))
    throw new ImageQuestionError('IMAGE_NOT_FINITE', 'holds NaN or infinity, or is all zeros')
  return vector
}
