import fastify from 'fastify'
import { serveParent } from './child.ts'

/** The floor under ingest: bare fastify that parses the same bodies and answers as many bytes. */
const app = fastify({ logger: false })
let receipts = ''
app.post('/v1/engagements', async (request, reply) => {
  const { engagements } = request.body as { readonly engagements: readonly unknown[] }
  return reply
    .code(engagements.length > 0 ? 202 : 400)
    .type('application/json')
    .send(receipts)
})

serveParent({
  /** Returns the port. */
  async listen(answer: string): Promise<number> {
    receipts = answer
    await app.listen({ host: '127.0.0.1', port: 0 })
    return (app.server.address() as { port: number }).port
  },
  clear: () => undefined,
  stop: () => app.close(),
})
