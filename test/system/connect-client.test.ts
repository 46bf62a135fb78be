import { createFileRegistry, fromBinary, type DescService } from '@bufbuild/protobuf'
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt'
import { aFakeBlender } from '@freshet/adapters/testing/fake-blender'
import { httpAppOf } from '@freshet/blender/serving.fixture'
import { nowMs, startIngest } from '@freshet/event-ingest/testing'
import { readDescriptors } from '@freshet/contracts/descriptors'
import { ContractError } from '@freshet/contracts/errors'
import { GetFeedResponse } from '@freshet/contracts/gen/freshet/blending/v1/blending'
import { listen } from '@freshet/service/http-app'
import { afterEach, describe, expect, test } from 'vitest'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

/** A client that the Connect library makes of descriptors alone: it knows nothing of our code. */
type Client = Readonly<Record<string, (request: object, options?: { timeoutMs?: number }) => Promise<unknown>>>

interface ClientOptions {
  readonly service?: string
  readonly useBinaryFormat: boolean
  readonly useHttpGet?: boolean
}

async function clientOf(
  port: number,
  { service: name = 'freshet.blending.v1.Blender', ...options }: ClientOptions,
): Promise<Client> {
  const load = async (library: string): Promise<unknown> => import(library)
  const { createClient } = (await load('@connectrpc/connect')) as {
    createClient: (service: DescService, transport: unknown) => Client
  }
  const { createConnectTransport } = (await load('@connectrpc/connect-node')) as {
    createConnectTransport: (options: object) => unknown
  }
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readDescriptors()))
  const service = registry.getService(name)!
  return createClient(
    service,
    createConnectTransport({ baseUrl: `http://127.0.0.1:${port}`, httpVersion: '1.1', ...options }),
  )
}

async function served(): Promise<number> {
  const blender = aFakeBlender({
    async getFeed({ userId, atMs }) {
      if (userId === '') throw new ContractError('CALL_INVALID_ARGUMENT', 'user_id: is empty')
      if (userId === 'slow') return new Promise(() => {})
      const stages = [{ stage: 'seen', candidatesIn: 3, candidatesOut: 1, removed: { seen: 2 } }]
      return GetFeedResponse.fromPartial({
        feedId: `${userId}@${atMs}`,
        items: [{ pinId: 'p', utility: 0.5 }],
        stages,
      })
    },
    getPins: async ({ pinIds }) => ({ pins: [], missing: pinIds.map((pinId) => ({ pinId, reason: 'deleted' })) }),
  })
  return listen(httpAppOf(blender, { closing }), '127.0.0.1', 0)
}

describe.each([{ useBinaryFormat: false }, { useBinaryFormat: true }])(
  'an unchanged Connect client, binary: $useBinaryFormat',
  (format) => {
    test('reads answers, also over GET', async () => {
      const port = await served()
      const client = await clientOf(port, format)
      expect(await client['getFeed']!({ userId: 'ada', atMs: 1_760_000_000_000n })).toMatchObject({
        feedId: 'ada@1760000000000',
        items: [{ pinId: 'p', utility: 0.5 }],
        stages: [{ stage: 'seen', removed: { seen: 2 } }],
      })
      const getting = await clientOf(port, { ...format, useHttpGet: true })
      for (const each of [client, getting])
        expect(await each['getPins']!({ pinIds: ['a'] })).toMatchObject({
          missing: [{ pinId: 'a', reason: 'deleted' }],
        })
    })

    test('reads errors with their codes: 3 invalid_argument, 4 deadline_exceeded, 14 unavailable', async () => {
      const client = await clientOf(await served(), format)
      await expect(client['getFeed']!({})).rejects.toMatchObject({ code: 3, rawMessage: 'user_id: is empty' })
      await expect(client['getFeed']!({ userId: 'slow' }, { timeoutMs: 100 })).rejects.toMatchObject({ code: 4 })
      await expect(client['rankPins']!({})).rejects.toMatchObject({ code: 14 })
    })

    test('posts events and merges users', async () => {
      const ingest = await startIngest()
      closing.push(() => ingest.app.close())
      const port = await listen(ingest.app, '127.0.0.1', 0)
      const client = await clientOf(port, { ...format, service: 'freshet.ingest.v1.EventIngest' })
      const subject = { case: 'pinId', value: 'p' }
      const save = { eventId: 'e', userId: 'u', action: 4, subject, occurredAtMs: BigInt(nowMs - 1_000) }
      const posted = client['postEngagements']!({
        engagements: [save, { ...save, eventId: 'f', subject: { ...subject, value: '' } }],
      })
      expect(await posted).toMatchObject({
        receivedAtMs: BigInt(nowMs),
        receipts: [
          { id: 'e', token: expect.stringMatching(/^e/) as string, code: '' },
          { id: 'f', token: '', code: 'EVENT_FIELD_MISSING', field: 'engagements[1].pinId' },
        ],
      })
      expect(await client['postPins']!({ pins: [{ pinId: 'p', title: 'Tea' }] })).toMatchObject({
        receipts: [{ id: 'p', code: '' }],
      })
      expect(await client['mergeUsers']!({ fromUserId: 'anonymous', intoUserId: 'u' })).toMatchObject({ notice: '' })
      expect(await ingest.records('engagements.v1')).toHaveLength(2)
      expect(await ingest.records('pins.v1')).toHaveLength(1)
      await expect(client['mergeUsers']!({ fromUserId: 'u', intoUserId: 'u' })).rejects.toMatchObject({
        code: 3,
        rawMessage: 'MERGE_SAME_USER: intoUserId is the user who is merged; give the id of another',
      })
      ingest.log.hold()
      await expect(client['postPins']!({ pins: [{ pinId: 'q' }] }, { timeoutMs: 100 })).rejects.toMatchObject({
        code: 4,
      })
    })
  },
)
