import fastify from 'fastify'
import { z } from 'zod'
import { listenError } from '../src/errors.ts'
import { runService } from '../src/lifecycle.ts'
import { httpSettings, serviceSettings } from '../src/settings.ts'

/** Answers hello; `curl localhost:8000`, `curl localhost:9464/readyz`, and stop it with Ctrl-C. */
await runService({
  name: 'hello',
  description: 'answers hello',
  schema: z.object({ ...serviceSettings(9464), http: z.object(httpSettings(8000)) }),
  async start({ config, logger, use }) {
    const { host, port } = config.http
    const app = fastify()
    app.get('/', async () => ({ hello: 'world' }))
    use({ name: 'http', drain: () => app.close() })
    await app.listen({ host, port }).catch((error: unknown) => {
      throw listenError(error, host, port)
    })
    logger.info({ host, port }, 'listening')
  },
})
