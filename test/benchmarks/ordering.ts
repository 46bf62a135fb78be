/** The steps of the ordering over 500 candidates, beside a plain sort of the same candidates. `node test/benchmarks/ordering.ts`. */
import { fileURLToPath } from 'node:url'
import { bytesOf } from '@freshet/contracts/bytes/columns'
import { toCandidates } from '@freshet/blender/candidates'
import { blenderSchema } from '@freshet/blender/config'
import { orderingPool } from '@freshet/blender/selectors/ordering-pool'
import { orderingSteps } from '@freshet/blender/selectors/ordering-steps'
import { createPinFacts } from '@freshet/blender/pin-facts'
import { createPinVectors } from '@freshet/blender/pin-vectors'
import { decodeServed, encodeServed } from '@freshet/blender/served-set'
import { unknownUser } from '@freshet/blender/user'
import { encodePinChange } from '@freshet/contracts/codecs/pin'
import { PinEmbedding } from '@freshet/contracts/gen/freshet/model/v1/model'
import { noHeaders } from '@freshet/contracts/headers'
import { asId, type CreatorId, type TopicId } from '@freshet/domain/ids'
import { mulberry32 } from '@freshet/domain/mulberry32'
import { aCataloguePin } from '@freshet/domain/testing'
import { median, type Bench } from './bench.ts'
import { comparedRow, formatRows, type BenchRow } from './row.ts'

const count = 500
const servedBefore = 200

/** All rows of this benchmark. */
export async function orderingRows({ quick }: Pick<Bench, 'quick'> = { quick: false }): Promise<BenchRow[]> {
  const { order, sort } = await aPage()
  const [ordered, sorted]: number[][] = [[], []]
  for (let round = 0; round < (quick ? 20 : 2_000); round++) {
    ordered!.push(await timed(order))
    sorted!.push(await timed(sort))
  }
  return [
    comparedRow({
      name: 'ordering of 500 candidates, all steps',
      value: median(ordered!),
      unit: 'ms',
      reference: 'sort by utility',
      referenceValue: median(sorted!),
      aim: '≤ 1 ms',
      note: 'a page of 25 from a pool of 200; 40 creators, 20 topics, embeddings of 128 numbers; default settings; 200 pins served before, so that fatigue has work too',
    }),
  ]
}

async function timed(run: () => unknown): Promise<number> {
  const startMs = performance.now()
  await run()
  return performance.now() - startMs
}

async function aPage() {
  const random = mulberry32(7)
  const facts = createPinFacts({ maxPins: count })
  const vectors = createPinVectors({ maxPins: count })
  const pinIds = Array.from({ length: count }, (_, n) => `pin-${n}`)
  const batch = (topic: string, values: readonly Uint8Array[]) => ({
    ...{ topic, partition: 0, from: 0, next: count, end: count },
    records: values.map((value, position) => ({
      ...{ position, key: pinIds[position]!, value, appendedAtMs: 0, headers: noHeaders },
    })),
  })
  const pins = batch(
    'pins.v1',
    pinIds.map((pinId) => {
      const topics = [asId<TopicId>(`t${Math.floor(20 * random())}`)]
      return encodePinChange({
        kind: 'upsert',
        pin: aCataloguePin(pinId, { topics, creatorId: asId<CreatorId>(`c${Math.floor(40 * random())}`) }),
      })
    }),
  )
  facts.fold(pins)
  vectors.fold(pins)
  const embedding = () => bytesOf(Float32Array.from({ length: 128 }, () => random() - 0.5))
  const embeddings = pinIds.map((pinId) =>
    PinEmbedding.encode(PinEmbedding.fromPartial({ pinId, vector: embedding(), space: 's' })).finish(),
  )
  vectors.fold(batch('pin-embeddings.v1', embeddings))
  const utilities = Float32Array.from(pinIds, () => random())
  const columns = { ...toCandidates(pinIds, utilities).columns, utilities, ranked: null }
  const rows = Int32Array.from(pinIds.keys()).sort((a, b) => utilities[b]! - utilities[a]!)
  const page = { firstPosition: 0, startedAtMs: 1, recorded: true }
  const shown = rows.filter((row) => row % 2 === 0).subarray(0, servedBefore)
  const served = decodeServed(encodeServed(columns.keys, shown, 1_000), { atMs: 1_000, windowMs: 1_000 })
  const params = blenderSchema.parse({})
  const request = { params, pageSize: 25, page, surface: 'home', user: unknownUser, served, atMs: 1_000 }
  const call = { timeoutMs: 1_000, signal: new AbortController().signal }
  const stages = [orderingPool({ facts, vectors }), ...orderingSteps({ facts, vectors })]
  return {
    async order() {
      let slate: { columns: object; rows: Int32Array; size: number } = { columns, rows, size: count }
      for (const stage of stages) {
        const selection = await stage.run(request as never, slate as never, call)
        slate = { columns: { ...slate.columns, ...selection.columns }, rows: selection.rows, size: count }
      }
      return slate
    },
    sort: () => Int32Array.from(pinIds.keys()).sort((a, b) => utilities[b]! - utilities[a]!),
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(formatRows(await orderingRows()))
