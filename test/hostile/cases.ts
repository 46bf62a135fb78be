import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { z } from 'zod'
import { pieceSchema } from './pieces.ts'

/**
 * What an answer may be. `accepted`: 2xx, or OK of gRPC. `refused`: 4xx with an error that says what is wrong, or a status of
 * gRPC that blames the caller. `closed`: the server hangs up or resets without an answer. `overloaded`: 503 or 429 with Retry-After.
 */
const answerSchema = z.enum(['accepted', 'refused', 'closed', 'refused or closed', 'any', 'overloaded'])

const servers = z.enum(['ingest', 'feed'])
/** A header's value; an empty one leaves the header out. */
const header = pieceSchema

const common = {
  /** What is hostile about it, and why that matters. */
  about: z.string().min(1),
}

/** One request with correct framing, unless its headers say otherwise. */
const httpCase = z.strictObject({
  ...common,
  http: z.strictObject({
    to: servers.default('ingest'),
    method: z.string().default('POST'),
    path: pieceSchema.default('/v1/engagements'),
    headers: z.record(z.string(), header).default({}),
    body: pieceSchema.optional(),
    /** Bytes are sent in parts of this size. */
    chunkBytes: z.int().min(1).optional(),
  }),
  answer: answerSchema,
  /** The code that the error must have. */
  code: z.string().optional(),
  /** The field that the error must name. */
  field: z.string().optional(),
})

/** Bytes on a connection. */
const rawCase = z.strictObject({
  ...common,
  raw: z.strictObject({
    to: z.enum(['ingest', 'feed', 'grpc']).default('ingest'),
    send: z.array(z.union([z.strictObject({ pauseMs: z.int().max(5_000) }), pieceSchema])),
    /** This many connections send the same. */
    connections: z.int().min(1).max(2_000).default(1),
    /** The client ends its side after the last byte. */
    end: z.boolean().default(false),
    /** The client breaks off after the last byte. */
    reset: z.boolean().default(false),
  }),
  answer: answerSchema,
  /** The statuses of all answers on the connection. */
  statuses: z.array(z.int()).optional(),
})

/** An event between two good ones of a batch: exactly it is rejected, by index and field. */
const eventCase = z.strictObject({
  ...common,
  /** Fields that replace those of a valid event. */
  event: z.record(z.string(), z.unknown()).optional(),
  /** The event as it is written in the body. `@` stands for the fields of a valid event. */
  eventText: pieceSchema.optional(),
  list: z.enum(['engagements', 'pins', 'boards']).default('engagements'),
  /** The field that the problem names; absent: the event is accepted. Empty: the event as a whole. */
  field: z.string().optional(),
  code: z.string().optional(),
})

/** A call of gRPC. */
const grpcCase = z.strictObject({
  ...common,
  grpc: z.strictObject({
    path: pieceSchema.default('/freshet.ingest.v1.EventIngest/PostEngagements'),
    headers: z.record(z.string(), header).default({}),
    data: pieceSchema.default([]),
    /** How many such calls, all on one connection. */
    calls: z.int().min(1).max(20_000).default(1),
    /** The client resets each call at once. */
    reset: z.boolean().default(false),
    /** The client never ends its side. */
    open: z.boolean().default(false),
  }),
  answer: answerSchema,
  /** The name of the status. */
  code: z.string().optional(),
})

/** A record that somebody wrote into a topic. */
const recordCase = z.strictObject({
  ...common,
  record: z.strictObject({
    topic: z.string(),
    key: z.string().default('hostile-user'),
    /** null: a tombstone. */
    value: pieceSchema.nullable(),
    headers: z.record(z.string(), z.string()).optional(),
    partition: z.int().nullable().default(null),
  }),
  /** `noticed`: a part counts it, reports it or dead-letters it. `passed over`: folds go on; it may even be applied. */
  fold: z.enum(['noticed', 'passed over']),
})

export type HttpCase = z.output<typeof httpCase>
export type RawCase = z.output<typeof rawCase>
export type EventCase = z.output<typeof eventCase>
export type GrpcCase = z.output<typeof grpcCase>
export type RecordCase = z.output<typeof recordCase>
/** What a case file holds, once or by name. */
export type HostileCase = HttpCase | RawCase | EventCase | GrpcCase | RecordCase

/** A case and its name: the path of its file without `.json`; in a file of several, with `#` and its name there. */
export interface NamedCase {
  readonly name: string
  readonly hostile: HostileCase
}

/** Reads every case below a folder. Throws an error that names the file of a case that cannot be read. */
export function readCases(folder: string): NamedCase[] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.json'))
  return files.sort().flatMap((file) => casesOf(join(folder, file), relative(folder, join(folder, file)).slice(0, -5)))
}

function casesOf(path: string, name: string): NamedCase[] {
  try {
    const read = JSON.parse(readFileSync(path, 'utf8')) as Readonly<Record<string, unknown>>
    if ('about' in read) return [{ name, hostile: parseCase(read) }]
    return Object.entries(read).map(([each, value]) => ({ name: `${name}#${each}`, hostile: parseCase(value) }))
  } catch (error) {
    throw new Error(`${path}: ${(error as Error).message}`, { cause: error })
  }
}

/** The schema of the kind that the case names; a union of all would report problems of every kind. */
function parseCase(value: unknown): HostileCase {
  const kinds = { http: httpCase, raw: rawCase, grpc: grpcCase, record: recordCase } as const
  const given = Object.keys(value as object)
  const kind = (Object.keys(kinds) as (keyof typeof kinds)[]).find((each) => given.includes(each))
  const parsed = (kind === undefined ? eventCase : kinds[kind]).safeParse(value)
  if (!parsed.success) throw new Error(z.prettifyError(parsed.error))
  return parsed.data
}
