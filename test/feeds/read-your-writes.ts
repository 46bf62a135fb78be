/**
 * Users hide pins and show them again, and each feed with the token of the event must reflect it. Anonymous users who hid a pin are
 * merged into known ones, and each feed with the token of the merge must reflect it. Feeds without a token then show how long an event
 * takes. Ends with 1 if a feed with a token does not reflect its event.
 *
 *   npm run feeds:read-your-writes -- [--on lmdb|kafka] [--pairs 10000] [--merges 500] [--without 500] [--json FILE]
 *
 * `--on lmdb` (the default) runs all services in this process. `--on kafka` starts five processes on a real Kafka and a real Redis.
 */
import { Freshness, type GetFeedResponse } from '@freshet/contracts/gen/freshet/blending/v1/blending'
import { readArguments, refuseArguments } from '../harness/arguments.ts'
import { type FigureRow, writeFigures } from '../harness/figures.ts'
import { eventually, pass } from '../harness/eventually.ts'
import { productOnLmdb } from './writes-in-one-process.ts'
import { productOverKafka } from './writes-over-kafka.ts'
import type { Write } from './writes.ts'

const values = readArguments(
  'npm run feeds:read-your-writes --',
  {
    on: { type: 'string', default: 'lmdb' },
    pairs: { type: 'string', default: '10000' },
    merges: { type: 'string', default: '500' },
    without: { type: 'string', default: '500' },
    json: { type: 'string' },
  },
  { on: 'lmdb|kafka', pairs: 'N', merges: 'N', without: 'N', json: 'FILE' },
)
const [pairs, merges, without] = [Number(values.pairs), Number(values.merges), Number(values.without)]
const pins = Array.from({ length: 40 }, (_, n) => `pin-${n}`)
const users = Array.from({ length: 50 }, (_, n) => `user-${n}`)
const products = { lmdb: productOnLmdb, kafka: productOverKafka }
if (!(values.on in products)) {
  refuseArguments(`--on is ${values.on}; give lmdb or kafka`)
}

const product = await products[values.on as keyof typeof products](pins)
const wrong: string[] = []
const figures: FigureRow[] = []
try {
  await eventually(
    'all pins in a feed',
    async () => ((await product.feed('nobody', [])).items.length === pins.length ? true : null),
    60_000,
  )
  await withToken('of an event', pairs, async (pair) => {
    const one = write(pair)
    return { one, answer: await product.feed(one.userId, [await product.say(one)]) }
  })
  await withToken('of a merge', merges, async (merge) => {
    const [anonymous, known] = [`anonymous-${merge}`, `known-${merge}`]
    const one = { userId: anonymous, pinId: pins[merge % pins.length]!, hides: true, eventId: `merged-${merge}` }
    await product.say(one)
    return { one, answer: await product.feed(known, [await product.merge(anonymous, known)]) }
  })
  for (const problem of wrong.slice(0, 10)) console.log(problem)
  await withoutToken()
  writeFigures(values.json, { columns: ['reached'], rows: figures, problems: wrong.slice(0, 10) })
} finally {
  await product.close()
}
process.exitCode = wrong.length === 0 ? 0 : 1

async function withToken(
  what: string,
  count: number,
  ask: (number: number) => Promise<{ readonly one: Write; readonly answer: GetFeedResponse }>,
): Promise<void> {
  const startedAt = performance.now()
  let reflected = 0
  for (let number = 0; number < count; number++) {
    const { one, answer } = await ask(number)
    if (answer.freshness === Freshness.CURRENT && reflects(answer, one)) reflected++
    else wrong.push(`${one.userId} ${one.hides ? 'hides' : 'shows'} ${one.pinId}: freshness ${answer.freshness}`)
  }
  const seconds = (performance.now() - startedAt) / 1000
  figures.push({ key: `feeds with the token ${what} that reflect it`, cells: [`${reflected} of ${count}`] })
  console.log(
    `${product.name}: ${reflected} of ${count} feeds with the token ${what} reflect it, ${seconds.toFixed(1)} s`,
  )
}

async function withoutToken(): Promise<void> {
  const lags: number[] = []
  let atOnce = 0
  for (let number = 0; number < without; number++) {
    const one = write(pairs + number)
    await product.say(one)
    const saidAt = performance.now()
    for (let asked = 1; ; asked++) {
      if (reflects(await product.feed(one.userId, []), one)) {
        if (asked === 1) atOnce++
        break
      }
      // In one process, feeds alone would leave the updater no turn.
      await pass(1)
    }
    lags.push(performance.now() - saidAt)
  }
  lags.sort((a, b) => a - b)
  const at = (share: number): string => (lags[Math.floor(share * (lags.length - 1))] ?? 0).toFixed(1)
  figures.push(
    { key: 'without a token: first feeds that reflect the event', cells: [`${atOnce} of ${lags.length}`] },
    { key: 'without a token: until a feed reflects the event, p50', cells: [`${at(0.5)} ms`] },
    { key: 'without a token: until a feed reflects the event, p99', cells: [`${at(0.99)} ms`] },
  )
  console.log(
    `without a token: ${atOnce} of ${lags.length} first feeds reflect the event; until one does: p50 ${at(0.5)} ms, p90 ${at(0.9)} ms, p99 ${at(0.99)} ms, longest ${at(1)} ms`,
  )
}

/** Who does what with which pin: each pin is hidden in one round and shown again in the next. */
function write(number: number): Write {
  const round = Math.floor(number / users.length)
  return {
    userId: users[number % users.length]!,
    pinId: pins[Math.floor(round / 2) % pins.length]!,
    hides: round % 2 === 0,
    eventId: `event-${number}`,
  }
}

function reflects({ items }: GetFeedResponse, { pinId, hides }: Write): boolean {
  return items.some((item) => item.pinId === pinId) !== hides
}
