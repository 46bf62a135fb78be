import { serviceSettings } from '@freshet/service/settings'
import { z } from 'zod'
import { consoleSettings } from './settings.ts'

const address = (description: string) => z.url({ protocol: /^https?$/ }).meta({ description })

/** Settings of `freshet console`. */
export const consoleSchema = z.object({
  ...serviceSettings(9470),
  console: z.object(consoleSettings(8090)),
  upstreams: z.object({
    feeds: address('Address of the HTTP port of the blenders, such as `http://blender:8070`'),
    events: address('Address of the public port of event-ingest'),
    admin: address(
      'Address of the admin port of event-ingest; null: the page cannot change the catalogue or erase users',
    )
      .nullable()
      .default(null),
    operations: z
      .array(z.string().regex(/^[\w-]+=https?:\/\/[^\s,]+$/, 'give NAME=URL, such as ranker=http://ranker:9467'))
      .default([])
      .refine(
        (given) => new Set(given.map((each) => each.slice(0, each.indexOf('=')))).size === given.length,
        'two have the same name; give each process its own, such as ranker-1=… and ranker-2=…',
      )
      .meta({
        description: 'Operations servers as NAME=URL, separated by commas. Each process needs a name of its own',
      }),
  }),
})

export type ConsoleProcessConfig = z.output<typeof consoleSchema>
