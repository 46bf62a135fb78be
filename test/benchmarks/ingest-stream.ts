import { credentials, Metadata, type ClientDuplexStream } from '@grpc/grpc-js'
import { parseEngagementJson } from '@freshet/contracts/json/engagement'
import { toEngagementMessage } from '@freshet/contracts/codecs/engagement'
import {
  EventIngestClient,
  StreamEngagementsRequest,
  type StreamEngagementsResponse,
} from '@freshet/contracts/gen/freshet/ingest/v1/ingest'
import { batchEvents, engagementsOf, type LoadRun } from './ingest-load.ts'

const streams = 2
/** As many as ingest takes of one stream at once by default. */
const batchesUnderWay = 8

/** Sends a number of batches by `StreamEngagements`, as fast as they get through. */
export async function streamLoad(port: number, key: string, batches: number): Promise<LoadRun> {
  const client = new EventIngestClient(`127.0.0.1:${port}`, credentials.createInsecure())
  const messages = Array.from({ length: 200 }, (_, batch) => ({
    engagements: engagementsOf(batch).map((each) => {
      const parsed = parseEngagementJson(each, '')
      if (!parsed.ok) throw new Error(parsed.problem.message)
      return toEngagementMessage(parsed.engagement, 0)
    }),
  })).map((batch) => StreamEngagementsRequest.fromPartial(batch))
  const metadata = new Metadata()
  metadata.set('freshet-key', key)
  const startMs = performance.now()
  const latencies: number[] = []
  try {
    await Promise.all(
      Array.from({ length: streams }, () =>
        runStream(client.streamEngagements(metadata), { messages, latencies, batches: Math.ceil(batches / streams) }),
      ),
    )
    return { latencies, ms: performance.now() - startMs }
  } finally {
    client.close()
  }
}

function runStream(
  call: ClientDuplexStream<StreamEngagementsRequest, StreamEngagementsResponse>,
  {
    messages,
    latencies,
    batches,
  }: {
    readonly messages: readonly StreamEngagementsRequest[]
    readonly latencies: number[]
    readonly batches: number
  },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const sentAtMs: number[] = []
    let sent = 0
    const send = (): void => {
      sentAtMs.push(performance.now())
      call.write(messages[sent++ % messages.length]!)
    }
    call.on('data', ({ receipts, refused }: StreamEngagementsResponse) => {
      if (refused !== undefined || receipts.length !== batchEvents || receipts[0]?.token === '')
        reject(new Error(`the stream answered ${JSON.stringify(refused ?? receipts[0])}`))
      latencies.push(performance.now() - sentAtMs.shift()!)
      if (sent < batches) send()
      else if (sentAtMs.length === 0) call.end()
    })
    call.on('error', reject)
    call.on('end', resolve)
    for (let i = 0; i < Math.min(batches, batchesUnderWay); i++) send()
  })
}
