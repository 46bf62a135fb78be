/** Saves three pins of a feed and shows the feed before and after. Needs a running `npm start`. */
import { createFreshet } from '@freshet/client'

const freshet = createFreshet({
  ingestUrl: process.env.INGEST_URL ?? 'http://127.0.0.1:8080',
  feedUrl: process.env.FEED_URL ?? 'http://127.0.0.1:8070',
  storage: { file: process.env.QUEUE_FILE ?? '.freshet/example-queue.jsonl' },
  onRejected: ({ event, problem }) => {
    console.error(`${event.eventId} was rejected: ${problem.message}`)
  },
  onDropped: ({ event, reason }) => {
    console.error(`${event.eventId} was dropped: ${reason}`)
  },
  onError: (error) => {
    console.error(`not sent yet: ${error.message}`)
  },
})

// A server acts for many users, so it says with each call for whom.
const userId = `example-${Date.now()}`
const before = await freshet.feed({ userId, pageSize: 5 })
console.log('before:', before.items.map(({ pinId }) => pinId).join(' '))
for (const item of before.items.slice(0, 3)) await freshet.save(item, { userId, boardId: 'kitchen' })
const after = await freshet.feed({ userId, pageSize: 5 })
console.log('after: ', after.items.map(({ pinId }) => pinId).join(' '), `(${after.freshness}, ${after.degradation})`)
await freshet.close()
