import { createFreshetClient } from '../src/client.ts'

/** Saves three pins of a feed and shows the feed before and after. Needs a running `npm start`. */
const ingestUrl = process.env['INGEST_URL'] ?? 'http://127.0.0.1:8080'
const feedUrl = process.env['FEED_URL'] ?? 'http://127.0.0.1:8070'
const userId = `example-${Date.now()}`

const client = createFreshetClient({
  ingestUrl,
  feedUrl,
  onDropped: ({ event, reason, problem }) => {
    console.error(`${event.eventId} was given up: ${reason} ${problem?.message ?? ''}`)
  },
  onError: (error) => {
    console.error(`not sent yet: ${error.message}`)
  },
})

const before = await client.getFeed({ userId, pageSize: 5 })
console.log('before:', before.items.map(({ pinId }) => pinId).join(' '))
for (const { pinId, position } of before.items.slice(0, 3)) {
  client.track({ userId, action: 'save', pinId, feedId: before.feedId, position, surface: 'home' })
}
const after = await client.getFeed({ userId, pageSize: 5 })
console.log('after: ', after.items.map(({ pinId }) => pinId).join(' '), `(${after.freshness}, ${after.degradation})`)
await client.close()
