import { openAccess } from '@freshet/access/access'
import { credentials, makeGenericClientConstructor, status } from '@grpc/grpc-js'
import { decodePinChange } from '@freshet/contracts/codecs/pin'
import { Action, Engagement } from '@freshet/contracts/gen/freshet/engagement/v1/engagement'
import { Board, Creator, Pin } from '@freshet/contracts/gen/freshet/catalogue/v1/catalogue'
import {
  EventIngestService,
  type StreamBoardsRequest,
  type StreamBoardsResponse,
  type StreamCreatorsRequest,
  type StreamCreatorsResponse,
  type StreamEngagementsRequest,
  type StreamEngagementsResponse,
  type StreamPinsRequest,
  type StreamPinsResponse,
} from '@freshet/contracts/gen/freshet/ingest/v1/ingest'
import { startGrpcServer } from '@freshet/service/grpc-server'
import { silentReport } from '@freshet/service/reporting'
import { grpcSettings } from '@freshet/service/settings'
import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { createIngestGrpcService } from './grpc.ts'
import type { Answer } from './ingest.ts'
import { nowMs, startIngest } from './testing.ts'

const closing: (() => void | Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

async function start(maxStreamBatches = 2) {
  const started = await startIngest()
  const service = createIngestGrpcService(started.ingest, {
    metrics: started.metrics,
    report: silentReport,
    maxStreamBatches,
  })
  const server = await startGrpcServer({
    access: openAccess,
    ...z.object(grpcSettings(0)).parse({}),
    port: 0,
    services: [service],
    descriptors: null,
    metrics: started.metrics,
  })
  const client = new (makeGenericClientConstructor({}, 'raw'))(`127.0.0.1:${server.port}`, credentials.createInsecure())
  closing.push(
    () => server.close(),
    () => client.close(),
  )
  function open<Request, Response>(
    {
      path,
      requestSerialize,
      responseDeserialize,
    }: (typeof EventIngestService)['streamEngagements' | 'streamPins' | 'streamCreators' | 'streamBoards'],
    options: { deadline?: number } = {},
  ) {
    const call = client.makeBidiStreamRequest<Request, Response>(
      path,
      requestSerialize as (value: Request) => Buffer,
      responseDeserialize as (bytes: Buffer) => Response,
      options,
    )
    const answers: Response[] = []
    call.on('data', (answer: Response) => answers.push(answer))
    call.on('error', () => undefined)
    const ended = new Promise<{ code: number; details: string }>((resolve) => call.on('status', resolve))
    return { call, answers, ended }
  }
  return {
    ...started,
    service,
    engagements: (options?: { deadline?: number }) =>
      open<StreamEngagementsRequest, StreamEngagementsResponse>(EventIngestService.streamEngagements, options),
    pins: () => open<StreamPinsRequest, StreamPinsResponse>(EventIngestService.streamPins),
    creators: () => open<StreamCreatorsRequest, StreamCreatorsResponse>(EventIngestService.streamCreators),
    boards: () => open<StreamBoardsRequest, StreamBoardsResponse>(EventIngestService.streamBoards),
  }
}

const save = (eventId: string, parts: Partial<Engagement> = {}): Engagement => ({
  ...Engagement.create({ eventId, userId: 'u1', action: Action.SAVE, pinId: 'p1', occurredAtMs: nowMs - 1000 }),
  ...parts,
})
const batch = (...engagements: Engagement[]): StreamEngagementsRequest => ({
  engagements,
  sentAtMs: undefined,
  clockOffsetMs: undefined,
})

describe('a stream of batches', () => {
  it('answers each batch once, in order, with a receipt for each event', async () => {
    const { engagements, records } = await start()
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.boolean(), { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 8 }),
        async (batches) => {
          const before = (await records('engagements.v1')).length
          const { call, answers, ended } = engagements()
          batches.forEach((valid, at) => {
            call.write(batch(...valid.map((isValid, i) => save(`e${at}-${i}`, isValid ? {} : { userId: '' }))))
          })
          call.end()
          expect((await ended).code).toBe(status.OK)
          expect(answers.map(({ batch }) => batch)).toEqual(batches.map((_, at) => at))
          expect(answers.map(({ receipts }) => receipts.map(({ token }) => token !== ''))).toEqual(batches)
          expect((await records('engagements.v1')).length - before).toBe(batches.flat().filter(Boolean).length)
        },
      ),
      { numRuns: 25 },
    )
  })

  it('names the wrong field of a rejected event, and refuses an empty batch as a whole', async () => {
    const { engagements } = await start()
    const { call, answers, ended } = engagements()
    call.write(batch(save('e1'), save('e2', { pinId: undefined })))
    call.write(batch())
    call.end()
    await ended
    expect(answers[0]?.receipts[1]).toMatchObject({ id: 'e2', token: '', field: 'engagements[1].pinId' })
    expect(answers[1]).toMatchObject({ receipts: [], refused: { code: 'BATCH_EMPTY' }, retryable: false })
  })

  it('answers nothing before the log has the events, and reads only as many batches as may wait', async () => {
    const { engagements, log, ingest } = await start(2)
    const take = vi.spyOn(ingest, 'takePlain')
    log.hold()
    const { call, answers, ended } = engagements()
    for (let i = 0; i < 10; i++) call.write(batch(save(`e${i}`)))
    call.end()
    await vi.waitFor(() => expect(take).toHaveBeenCalledTimes(2))
    expect(answers).toEqual([])
    log.release()
    expect((await ended).code).toBe(status.OK)
    expect(take).toHaveBeenCalledTimes(10)
    expect(answers).toHaveLength(10)
  })

  it('says that a refused batch can be sent again if the log does not answer, and goes on', async () => {
    const { engagements, log } = await start()
    const { call, answers, ended } = engagements()
    log.fail('LOG_UNAVAILABLE')
    call.write(batch(save('e1')))
    await vi.waitFor(() => expect(answers).toHaveLength(1))
    call.write(batch(save('e1')))
    call.end()
    expect((await ended).code).toBe(status.OK)
    expect(answers).toMatchObject([
      { refused: { code: 'INGEST_UNAVAILABLE' }, retryable: true },
      { refused: { code: 'INGEST_UNAVAILABLE' }, retryable: true },
    ])
  })

  it('sends nothing to the log after the deadline of the stream', async () => {
    const { engagements, log, records, ingest } = await start()
    const take = vi.spyOn(ingest, 'takePlain')
    log.hold()
    const { call, ended } = engagements({ deadline: Date.now() + 300 })
    call.write(batch(save('e1')))
    expect((await ended).code).toBe(status.DEADLINE_EXCEEDED)
    await vi.waitFor(() => expect(take.mock.calls[0]?.[0].call?.signal?.aborted).toBe(true))
    log.release()
    expect(await records('engagements.v1')).toEqual([])
  })

  it('answers what it has read when it drains, then ends with UNAVAILABLE', async () => {
    const { engagements, log, service, ingest } = await start()
    const take = vi.spyOn(ingest, 'takePlain')
    log.hold()
    const { call, answers, ended } = engagements()
    call.write(batch(save('e1')))
    await vi.waitFor(() => expect(take).toHaveBeenCalledTimes(1))
    const drained = service.drain()
    log.release()
    await drained
    expect((await ended).code).toBe(status.UNAVAILABLE)
    expect(answers).toMatchObject([{ batch: 0, receipts: [{ id: 'e1' }] }])
    call.cancel()
  })

  it('says how far a stream of pins is', async () => {
    const { pins, records } = await start()
    const { call, answers, ended } = pins()
    call.write({ pins: [Pin.create({ pinId: 'p1' }), Pin.create({ pinId: '' })] })
    call.write({ pins: [Pin.create({ pinId: 'p2', deleted: true })] })
    call.end()
    await ended
    expect(answers).toMatchObject([
      { batch: 0, acceptedSoFar: 1, rejectedSoFar: 1 },
      { batch: 1, acceptedSoFar: 2, rejectedSoFar: 1 },
    ])
    expect(await records('pins.v1')).toHaveLength(2)
  })

  it('says how far streams of creators and boards are, takes them in order, and names wrong ones by index', async () => {
    const { creators, boards, records, log } = await start()
    const ofCreators = creators()
    ofCreators.call.write({
      creators: [Creator.create({ creatorId: 'c1', name: 'Ann' }), Creator.create({ creatorId: '' })],
    })
    ofCreators.call.write({ creators: [Creator.create({ creatorId: 'c1', deleted: true })] })
    ofCreators.call.end()
    const ofBoards = boards()
    ofBoards.call.write({ boards: [Board.create({ boardId: 'b1', secret: true })] })
    ofBoards.call.end()
    await Promise.all([ofCreators.ended, ofBoards.ended])
    expect(ofCreators.answers).toMatchObject([
      { batch: 0, acceptedSoFar: 1, rejectedSoFar: 1, receipts: [{ id: 'c1' }, { field: 'creators[1].creatorId' }] },
      { batch: 1, acceptedSoFar: 2, rejectedSoFar: 1 },
    ])
    expect(ofBoards.answers).toMatchObject([{ batch: 0, acceptedSoFar: 1, rejectedSoFar: 0, receipts: [{ id: 'b1' }] }])
    expect((await records('creators.v1')).map(({ key }) => key)).toEqual(['c1', 'c1'])
    expect((await records('boards.v1')).map(({ key }) => key)).toEqual(['b1'])

    // After a batch that can be sent again nothing is taken: sent again, it would undo what came after.
    log.fail('LOG_UNAVAILABLE')
    const refused = boards()
    refused.call.write({ boards: [Board.create({ boardId: 'b2' })] })
    await vi.waitFor(() => expect(refused.answers).toHaveLength(1))
    refused.call.write({ boards: [] })
    refused.call.end()
    await refused.ended
    expect(refused.answers).toMatchObject(
      [0, 1].map((batch) => ({ batch, refused: { code: 'INGEST_UNAVAILABLE' }, retryable: true, acceptedSoFar: 0 })),
    )
  })

  it('takes no pins after a batch that can be sent again, also if they wait already: sent again, it would undo them', async () => {
    const { pins, records, ingest } = await start(8)
    const upsert = { pins: [Pin.create({ pinId: 'p1' })] }
    const removal = { pins: [Pin.create({ pinId: 'p1', deleted: true })] }
    const problem = { code: 'INGEST_UNAVAILABLE', field: '', message: 'the log does not answer' } as const
    const refused = Promise.withResolvers<Answer>()
    vi.spyOn(ingest, 'takePins').mockReturnValueOnce(refused.promise)
    const first = pins()
    first.call.write(upsert)
    first.call.write(removal)
    await vi.waitFor(() => expect(ingest.takePins).toHaveBeenCalled())
    refused.resolve({ kind: 'refused', problem })
    await vi.waitFor(() => expect(first.answers).toHaveLength(2))
    first.call.write({ pins: [] })
    first.call.end()
    expect((await first.ended).code).toBe(status.OK)
    expect(first.answers).toMatchObject(
      [0, 1, 2].map((batch) => ({ batch, refused: { code: 'INGEST_UNAVAILABLE' }, retryable: true, acceptedSoFar: 0 })),
    )
    expect(first.answers[1]?.refused?.message).toContain('in a new stream')
    expect(await records('pins.v1')).toEqual([])

    const again = pins()
    for (const each of [upsert, { pins: [] }, removal]) again.call.write(each)
    again.call.end()
    await again.ended
    expect(again.answers.map(({ refused }) => refused?.code)).toEqual([undefined, 'BATCH_EMPTY', undefined])
    const kinds = (await records('pins.v1')).map(({ key, value }) => decodePinChange(key, value).kind)
    expect(kinds).toEqual(['upsert', 'delete'])
  })
})
