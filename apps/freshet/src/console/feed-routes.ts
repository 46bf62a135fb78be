import { createHash } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import type { CallRule } from '@freshet/access/rules'
import { ContractError } from '@freshet/contracts/errors'
import { parseToken } from '@freshet/contracts/tokens'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { explainedPage, type ExplainedPage } from './explained-page.ts'
import type { AskUpstream } from './proxy/ask.ts'
import { goneSignal } from './proxy/forward.ts'
import type { Upstream } from './proxy/upstreams.ts'
import { reorder } from './reorder.ts'
import { parsed } from './parsed.ts'

/** Answers about feeds of any user. */
const trusted: CallRule = { rule: 'trusted' }
const factor = z.number().min(0).max(100)
const reorderRequest = z.strictObject({
  feedId: z.string().min(1).max(64),
  weights: z.record(z.string().max(64), factor).default({}),
  diversity: factor.default(1),
  exploration: factor.default(1),
})
const freshnessRequest = z.strictObject({ userId: z.string().min(1).max(256), token: z.string().min(1).max(64) })

/** What the routes about feeds ask. */
export interface FeedRoutes {
  readonly feeds: Upstream
  readonly ask: AskUpstream
  readonly nowMs: () => number
}

/** A slider asks many times about one feed. */
const maxKeptPages = 32
/** The blender waits for part of its time limit, so it may be asked more than once. */
const longestWaitMs = 2_000
/** An event that is never reflected, because it was refused, is answered at once. */
const maxCalls = 4

/** Adds what the page asks about served feeds: another order of one, and when the state of a user reflects an event. */
export function addFeedRoutes(app: FastifyInstance, { feeds, ask, nowMs }: FeedRoutes): void {
  const pages = new Map<string, Promise<ExplainedPage>>()
  const pageOf = (feedId: string, caller: IncomingHttpHeaders): Promise<ExplainedPage> => {
    // What the blender told one caller is not for another.
    const key = createHash('sha256')
      .update(JSON.stringify([feedId, caller['freshet-key'], caller.authorization]))
      .digest('hex')
    const kept = pages.get(key)
    if (kept !== undefined) return kept
    const asked = ask(feeds, { path: '/v1/explain', body: { feedId }, caller }).then(explainedPage)
    pages.set(key, asked)
    asked.catch(() => pages.delete(key))
    for (const oldest of pages.keys()) {
      if (pages.size <= maxKeptPages) break
      pages.delete(oldest)
    }
    return asked
  }

  app.post('/api/console/reorder', { config: { access: trusted } }, async (request) => {
    const { feedId, weights, diversity, exploration } = parsed(reorderRequest, request.body)
    const { pins, problem } = await pageOf(feedId, request.headers)
    const sliders = { weights: new Map(Object.entries(weights)), diversity, exploration }
    return { feedId, items: reorder(pins, sliders), problem }
  })

  app.get('/api/console/freshness', { config: { access: trusted } }, async (request, reply) => {
    const { userId, token } = parsed(freshnessRequest, request.query)
    if (parseToken(token) === null) throw new ContractError('CALL_INVALID_ARGUMENT', 'token: is not a token')
    const began = nowMs()
    const elapsed = (): number => nowMs() - began
    const signal = goneSignal(reply)
    const body = { userId, pinIds: [nobodysPin], after: [token] }
    let isReflected = false
    for (let calls = 0; calls < maxCalls && !isReflected && elapsed() < longestWaitMs; calls++) {
      const answer = await ask(feeds, { path: '/v1/rank', body, caller: request.headers, signal })
      isReflected = (answer as { readonly freshness?: string }).freshness === 'FRESHNESS_CURRENT'
    }
    return { token, reflected: isReflected, featureMs: Math.round(elapsed() * 100) / 100 }
  })
}

/** A list to rank may not be empty. */
const nobodysPin = '-'
