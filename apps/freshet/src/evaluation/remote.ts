import { createBlenderClient } from '@freshet/adapters/grpc/blender-client'
import { parseToken } from '@freshet/contracts/tokens'
import type { EvaluationTarget } from './evaluate.ts'
import { RecordingError } from './recording.ts'
import { toRequest, type AskOptions } from './request.ts'
import { sentCertificate } from '../operations/sent-certificate.ts'
import { keyHeaders, refusedKey, sentKey } from '../operations/sent-key.ts'

/** Addresses of the running services. */
export interface RemoteOptions extends AskOptions {
  /** Base URL of event-ingest. */
  readonly ingestUrl: string
  /** gRPC address of the blender, host:port. */
  readonly feedAddress: string
}

/** Maximum time that a question waits for state and views. */
const patienceMs = 30_000
/** Maximum number of events that are posted together between two questions. */
const maxPending = 500

interface Receipt {
  readonly token?: string
  readonly code?: string
  readonly message?: string
}

/** Evaluates running services: posts events by HTTP and asks questions by gRPC. A question waits until state and views reflect all posted events. */
export async function createRemoteTarget(options: RemoteOptions): Promise<EvaluationTarget> {
  const blender = createBlenderClient({ address: options.feedAddress, key: sentKey, credentials: sentCertificate() })
  /** The newest token of each partition, for which questions wait. */
  const newest = new Map<string, string>()
  const pending = {
    engagements: [] as { value: unknown; place: string }[],
    pins: [] as { value: unknown; place: string }[],
  }

  async function post(kind: 'engagements' | 'pins'): Promise<void> {
    const events = pending[kind]
    if (events.length === 0) return
    pending[kind] = []
    const response = await fetch(new URL(`/v1/${kind}`, options.ingestUrl), {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...keyHeaders() },
      body: JSON.stringify({ [kind]: events.map(({ value }) => value) }),
    })
    const answer = (await response.json()) as { readonly receipts?: readonly Receipt[]; readonly error?: Receipt }
    if (answer.error?.code?.startsWith('ACCESS_') === true)
      throw refusedKey(`${options.ingestUrl}: ${answer.error.code}: ${answer.error.message ?? ''}`)
    if (answer.receipts === undefined)
      throw new RecordingError(
        events[0]!.place,
        `event-ingest answers ${response.status}: ${answer.error?.message ?? ''}`,
      )
    for (const [at, receipt] of answer.receipts.entries()) {
      const token = parseToken(receipt.token ?? '')
      if (token === null)
        throw new RecordingError(
          events[at]!.place,
          `event-ingest answers ${receipt.code ?? response.status}: ${receipt.message ?? ''}`,
        )
      newest.set(`${token.topic}/${token.partition}`, receipt.token!)
    }
  }

  async function add(kind: 'engagements' | 'pins', value: unknown, place: string): Promise<void> {
    pending[kind].push({ value, place })
    if (pending[kind].length >= maxPending) await post(kind)
  }

  return {
    pin: (value, place) => add('pins', value, place),
    engagement: (value, place) => add('engagements', value, place),
    mark: () => Promise.resolve(),
    async ask(question, ask = options.ask) {
      await post('pins')
      await post('engagements')
      const put = toRequest(question, { ...options, ask }, [...newest.values()])
      const call = { timeoutMs: patienceMs }
      const answer =
        put.kind === 'feed' ? await blender.getFeed(put.request, call) : await blender.getRelatedPins(put.request, call)
      options.onAnswer?.(answer)
      return { pinIds: answer.items.map(({ pinId }) => pinId), degradation: answer.degradation }
    },
    async close() {
      await post('pins')
      await post('engagements')
      blender.close()
    },
  }
}
