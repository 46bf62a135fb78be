import { createFileRegistry, fromBinary, type DescService } from '@bufbuild/protobuf'
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt'
import { aFakeBlender } from '@freshet/adapters/testing/fake-blender'
import { httpAppOf } from '@freshet/blender/serving.fixture'
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

async function clientOf(port: number, options: { useBinaryFormat: boolean; useHttpGet?: boolean }): Promise<Client> {
  const load = async (name: string): Promise<unknown> => import(name)
  const { createClient } = (await load('@connectrpc/connect')) as {
    createClient: (service: DescService, transport: unknown) => Client
  }
  const { createConnectTransport } = (await load('@connectrpc/connect-node')) as {
    createConnectTransport: (options: object) => unknown
  }
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readDescriptors()))
  const service = registry.getService('freshet.blending.v1.Blender')!
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
  },
)
