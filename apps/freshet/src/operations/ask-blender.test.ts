import { grpcClientOf, httpAppOf } from '@freshet/blender/serving.fixture'
import { aFakeBlender } from '@freshet/adapters/testing/fake-blender'
import { ContractError } from '@freshet/contracts/errors'
import { ExplainFeedResponse } from '@freshet/contracts/gen/freshet/blending/v1/blending'
import { listen } from '@freshet/service/http-app'
import { afterEach, describe, expect, test } from 'vitest'
import { runExplain } from './explain.ts'
import { aTerminal } from './terminal.fixture.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

const wanted = 'give HOST:PORT of the gRPC server of a blender (its setting grpc.port), such as 127.0.0.1:7070'

const blender = aFakeBlender({
  async explainFeed({ feedId }) {
    if (feedId === 'gone') throw new ContractError('FEED_MISSING', 'it is gone')
    return ExplainFeedResponse.fromPartial({ feedId, userId: 'ada' })
  },
})

/** What `freshet explain` prints, as one text. */
async function explained(target: string, feedId = 'f1'): Promise<string> {
  let written = ''
  await runExplain(feedId, undefined, { target }, { ...aTerminal(), write: (text) => void (written += text) })
  return written
}

describe('freshet explain --target', () => {
  test('asks the blender at a gRPC address, and passes on its errors', async () => {
    const { port } = await grpcClientOf(blender, { closing })
    expect(await explained(`127.0.0.1:${port}`)).toContain('feed f1 of ada')
    await expect(explained(`127.0.0.1:${port}`, 'gone')).rejects.toMatchObject({ code: 'FEED_MISSING' })
  })

  test('says so when it is the port of an HTTP server', async () => {
    const port = await listen(httpAppOf(blender, { closing }), '127.0.0.1', 0)
    await expect(explained(`127.0.0.1:${port}`)).rejects.toMatchObject({
      code: 'ARGUMENT_INVALID',
      message: `--target is 127.0.0.1:${port}, the port of an HTTP server; ${wanted}`,
    })
  })

  test('says so when it is a URL', async () => {
    await expect(explained('http://127.0.0.1:8070')).rejects.toMatchObject({
      code: 'ARGUMENT_INVALID',
      message: `--target is http://127.0.0.1:8070, a URL; ${wanted}`,
    })
  })

  test('keeps the error of a port at which nothing listens', async () => {
    const app = httpAppOf(blender, { closing })
    const port = await listen(app, '127.0.0.1', 0)
    await app.close()
    await expect(explained(`127.0.0.1:${port}`)).rejects.toMatchObject({ code: 'CALL_UNAVAILABLE' })
  })
})
