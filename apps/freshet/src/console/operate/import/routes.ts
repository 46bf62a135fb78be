import type { CallRule } from '@freshet/access/rules'
import { ContractError } from '@freshet/contracts/errors'
import { addBodyParser } from '@freshet/service/http-app'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { OperatePorts } from '../ports.ts'
import { startJob, type Job, type JobJson } from './jobs.ts'
import { describePlan, readingSchema, type PlanJson } from './plan-json.ts'
import { createUploads, type Upload } from './uploads.ts'

/** The imports of a console. */
export interface Imports {
  /** Adds the routes under `/imports`. */
  addTo(app: FastifyInstance): void
  /** Stops what is under way, and removes the files. */
  close(): Promise<void>
}

/** An upload as the page sees it. */
export interface UploadJson {
  readonly id: string
  readonly name: string
  readonly bytes: number
  /** The last import of the file; null: none began. */
  readonly job: JobJson | null
}

/** Maximum size of a piece of a file. */
const maxPieceBytes = 1 << 20
const maxFiles = 16
const maxFileBytes = 2_000_000_000
/** Files that nobody removes are removed after this time. */
const keptMs = 86_400_000

const access: CallRule<never> = { rule: 'admin' }
const newFile = z.strictObject({ name: z.string().min(1).max(300) })
const pieceQuery = z.strictObject({ at: z.coerce.number().int().min(0) })
const planBody = z.strictObject({ reading: readingSchema })
const startBody = z.strictObject({ reading: readingSchema, dryRun: z.boolean(), makePins: z.boolean().default(true) })
/** A body is required, so that a page of another origin cannot send the request without asking. */
const nothing = z.strictObject({})

interface WithId {
  Params: { id: string }
}

/** Takes files in pieces, plans, checks and imports them, one at a time. */
export function createImports(ports: OperatePorts): Imports {
  const { clock, openDestination, onError, imports, room } = ports
  const uploads = createUploads({ ...imports, maxFiles, maxFileBytes })
  const jobs = new Map<string, Job>()
  const listed = new Map<string, Upload>()
  const json = ({ id, name, bytes }: Upload): UploadJson => ({ id, name, bytes, job: jobs.get(id)?.json() ?? null })
  const closing = new AbortController()
  const isRunning = (job: Job | undefined): boolean => job?.json().state === 'running'

  const plan = ({ path, name }: Upload, body: unknown): Promise<PlanJson> => {
    const { reading } = planBody.parse(body)
    return describePlan(path, name, { reading, nowMs: clock.now() })
  }
  const start = (upload: Upload, request: FastifyRequest): UploadJson => {
    const options = startBody.parse(request.body)
    if (openDestination === null)
      throw new ContractError(
        'CALL_UNAVAILABLE',
        'this console has no address to import to; start it with --events (and --admin)',
      )
    if ([...jobs.values()].some(isRunning))
      throw new ContractError('CALL_UNAVAILABLE', 'another import is under way; wait for it or stop it')
    const key = keyOf(request)
    jobs.set(
      upload.id,
      startJob(upload, options, {
        clock,
        pause: imports.pause,
        openDestination: (signal) => openDestination({ key, onError, signal }),
      }),
    )
    return json(upload)
  }

  const remove = async (id: string): Promise<void> => {
    jobs.get(id)?.stop()
    await jobs.get(id)?.ended
    await uploads.remove(id)
    jobs.delete(id)
    listed.delete(id)
  }
  /** Removes a file after its time; an import that is under way ends first. */
  const expire = async (id: string): Promise<void> => {
    await clock.sleep(keptMs, closing.signal)
    await jobs.get(id)?.ended
    if (listed.has(id) && !closing.signal.aborted) await remove(id)
  }

  return {
    addTo(app) {
      const config = { access }
      addBodyParser(app, 'application/octet-stream', { maxBodyBytes: maxPieceBytes, room }, (bytes) => bytes)
      app.get('/imports', { config }, () => ({
        canImport: openDestination !== null,
        files: [...listed.values()].map(json),
      }))
      app.post('/imports', { config }, async ({ body }) => {
        const upload = await uploads.create(newFile.parse(body).name)
        listed.set(upload.id, upload)
        expire(upload.id).catch((error: unknown) => {
          if (!closing.signal.aborted) onError(error as Error)
        })
        return json(upload)
      })
      app.get<WithId>('/imports/:id', { config }, ({ params }) => json(uploads.get(params.id)))
      app.post<WithId>('/imports/:id/pieces', { config }, async ({ params, query, body }) => {
        if (!Buffer.isBuffer(body))
          throw new ContractError('CALL_INVALID_ARGUMENT', 'send the piece as application/octet-stream')
        if (jobs.has(params.id)) throw new ContractError('CALL_INVALID_ARGUMENT', 'the file is complete already')
        return json(await uploads.append(params.id, pieceQuery.parse(query).at, body))
      })
      app.post<WithId>('/imports/:id/plan', { config }, ({ params, body }) => plan(uploads.get(params.id), body))
      app.post<WithId>('/imports/:id/start', { config }, (request) => start(uploads.get(request.params.id), request))
      app.post<WithId>('/imports/:id/stop', { config }, async ({ params, body }) => {
        nothing.parse(body)
        const upload = uploads.get(params.id)
        jobs.get(params.id)?.stop()
        await jobs.get(params.id)?.ended
        return json(upload)
      })
      app.delete<WithId>('/imports/:id', { config }, async ({ params: { id } }) => {
        await remove(id)
        return {}
      })
    },
    async close() {
      closing.abort()
      for (const job of jobs.values()) job.stop()
      await Promise.all([...jobs.values()].map(({ ended }) => ended))
      await uploads.close()
    },
  }
}

function keyOf({ headers }: FastifyRequest): string | null {
  const key = headers['freshet-key']
  return typeof key === 'string' && key !== '' ? key : null
}
