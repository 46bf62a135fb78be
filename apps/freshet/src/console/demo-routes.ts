import type { CallRule } from '@freshet/access/rules'
import { ContractError } from '@freshet/contracts/errors'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { DemoPictures } from './demo.ts'
import { ConsoleError } from './errors.ts'
import { picturePolicy } from './page/headers.ts'
import { parsed } from './parsed.ts'

/** The catalogue that ships is public. */
const anybody: CallRule = { rule: 'public' }
const share = z.number().min(0).max(1)
const pinId = z.string().min(1).max(256)
const locale = z.string().min(1).max(35).default('en')

const cropRequest = z.strictObject({
  pinId,
  box: z.strictObject({ x: share, y: share, width: share.gt(0), height: share.gt(0) }),
})
const wordsRequest = z.strictObject({
  q: z.string().max(200),
  locale,
  limit: z.coerce.number().int().min(1).max(500).default(100),
})
const list = z.string().max(32_768).default('')
const titlesRequest = z.strictObject({ locale, pins: list, topics: list })
const maxTitles = 500

/** Adds what only the catalogue that ships can answer: pictures, embeddings of crops, pins by words, and titles of pins and topics in a language. */
export function addDemoRoutes(app: FastifyInstance, pictures: DemoPictures | null): void {
  const config = { access: anybody }
  app.get<{ Params: { file: string } }>('/pictures/:file', { config }, async (request, reply) => {
    const { file } = request.params
    const svg = file.endsWith('.svg') ? known(pictures).svg(file.slice(0, -'.svg'.length)) : null
    if (svg === null)
      throw new ConsoleError('CONSOLE_PATH_UNKNOWN', `there is no picture ${JSON.stringify(file.slice(0, 100))}`)
    return reply
      .type('image/svg+xml')
      .header('content-security-policy', picturePolicy)
      .header('cache-control', 'public, max-age=86400')
      .send(svg)
  })
  app.post('/api/console/crop', { config }, async (request) => {
    const asked = parsed(cropRequest, request.body)
    const { box } = asked
    if (box.x + box.width > 1.000_001 || box.y + box.height > 1.000_001)
      throw new ContractError('CALL_INVALID_ARGUMENT', 'box: reaches beyond the picture')
    const demo = known(pictures)
    if (demo.svg(asked.pinId) === null) throw new ContractError('PIN_UNKNOWN', `the pin ${asked.pinId} has no picture`)
    return { embedding: Array.from(await demo.embed(asked.pinId, box)) }
  })
  app.get('/api/console/words', { config }, async (request) => {
    const { q, locale, limit } = parsed(wordsRequest, request.query)
    return { pinIds: q.trim() === '' ? [] : known(pictures).search(q, locale, limit) }
  })
  app.get('/api/console/titles', { config }, async (request) => {
    const { locale, pins, topics } = parsed(titlesRequest, request.query)
    const demo = known(pictures)
    const titles = listed('pins', pins).flatMap((id): [string, string][] => {
      const title = demo.title(id, locale)
      return title === null ? [] : [[id, title]]
    })
    const names = listed('topics', topics).map((id): [string, string] => [id, demo.topicName(id, locale)])
    return { titles: Object.fromEntries(titles), topics: Object.fromEntries(names) }
  })
}

function listed(field: string, text: string): readonly string[] {
  const ids = text.split(',').filter((id) => id !== '')
  if (ids.length > maxTitles)
    throw new ContractError('CALL_INVALID_ARGUMENT', `${field}: has ${ids.length} ids; ask for at most ${maxTitles}`)
  return ids
}

function known(pictures: DemoPictures | null): DemoPictures {
  if (pictures === null)
    throw new ConsoleError(
      'CONSOLE_NOT_HERE',
      'this process has no pictures: it does not serve the catalogue that ships',
    )
  return pictures
}
