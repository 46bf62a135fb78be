import type { CallRule } from '@freshet/access/rules'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { OperatePorts } from './ports.ts'
import { noLog } from './ports.ts'

const parameters = z.object({ id: z.string().max(300).default('') })
const queries = z.record(z.string().max(40), z.string().max(300))

/** Adds `/models`: the registries of the log with the results of their models, and PUT to change which one serves. */
export function addModels(
  app: FastifyInstance,
  { models }: OperatePorts,
  config: { readonly access: CallRule<never> },
  limit: () => AbortSignal,
): void {
  if (models === null) {
    for (const url of ['/models', '/models/*'])
      app.route({ method: ['GET', 'PUT'], url, config, handler: () => Promise.reject(noLog()) })
    return
  }
  for (const { path, method = 'GET', answer } of models)
    app.route({
      ...{ method, config, url: path.replace('/v1/', '/').replace('{id}', ':id') },
      handler: ({ params, query }) => answer(parameters.parse(params).id, queries.parse(query), limit()),
    })
}
