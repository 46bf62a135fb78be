import { createRankerClient, type RemoteRanker } from '@freshet/adapters/grpc/ranker-client'
import { aRequest } from '@freshet/ranker/testing'
import { median, nowMs, type Bench } from './bench.ts'
import { rankFeatures } from './rank-model.ts'
import { comparedRow, plainRow, quantile, type BenchRow } from './row.ts'
import { startChild, type Child } from './servers/child.ts'
import type { Scored } from './servers/ranker.ts'

const candidates = 500
const note = `${candidates} candidates of 1,000 pins with state, ${rankFeatures.length} features, DCN-v2 with 2 cross layers beside hidden layers 64 and 32, four heads; ranker in a process of its own over a log in memory, client in this process`

/** Rank over gRPC against the score alone, and a model that is swapped under load. */
export async function rankRows(bench: Bench): Promise<BenchRow[]> {
  const child = startChild('ranker.ts')
  try {
    bench.say('rank: filling the views')
    const port = await child.ask<number>('listen', 1_000)
    const client = createRankerClient({ address: `127.0.0.1:${port}` })
    await client.ready(10_000)
    const rows = [...(await callRows(bench, child, client)), ...(await swapRows(bench, child, client))]
    client.close()
    return rows
  } finally {
    await child.stop()
  }
}

async function callRows({ quick, say }: Bench, child: Child, client: RemoteRanker): Promise<BenchRow[]> {
  const calls = quick ? 30 : 300
  const rounds = quick ? 1 : 6
  const scores: number[] = []
  const answers: number[] = []
  const cpu: (readonly [score: number, call: number])[] = []
  for (let round = -1; round < rounds; round++) {
    say(`rank: round ${round + 1} of ${rounds}`)
    const alone = await child.ask<Scored>('score', { candidates, times: calls })
    const before = await child.cpuMs()
    const whole = await repeat(client, calls)
    const cpuMs = ((await child.cpuMs()) - before) / calls
    // The first round is for the compilers.
    if (round < 0) continue
    scores.push(...alone.ms)
    answers.push(...whole)
    cpu.push([alone.cpuMs, cpuMs])
  }
  return [
    comparedRow({
      name: 'Rank over gRPC with features, c = 1, p50',
      value: quantile(answers, 0.5),
      unit: 'ms',
      reference: 'the score alone',
      referenceValue: quantile(scores, 0.5),
      aim: 'ratio ≤ 4',
      note,
    }),
    comparedRow({
      name: 'Rank over gRPC with features, server CPU',
      value: median(cpu.map(([, call]) => call)),
      unit: 'ms/call',
      reference: 'the score alone',
      referenceValue: median(cpu.map(([score]) => score)),
      aim: 'ratio ≤ 4',
      note,
    }),
  ]
}

async function repeat(client: RemoteRanker, calls: number): Promise<number[]> {
  const times: number[] = []
  for (let call = 0; call < calls; call++) {
    const start = performance.now()
    await client.rank(aRequest(candidates), { timeoutMs: 5_000 })
    times.push(performance.now() - start)
  }
  return times
}

interface Load {
  readonly latencies: number[]
  readonly errors: unknown[]
}

async function swapRows({ quick, say }: Bench, child: Child, client: RemoteRanker): Promise<BenchRow[]> {
  const forMs = quick ? 500 : 5_000
  const everyMs = 250
  const quiet: Load = { latencies: [], errors: [] }
  const swapping: Load = { latencies: [], errors: [] }
  let swaps = 0
  for (let round = 0; round < (quick ? 1 : 4); round++) {
    say(`rank: swapping the model, round ${round + 1}`)
    await load(client, forMs, quiet)
    const [count] = await Promise.all([child.ask<number>('swap', { everyMs, forMs }), load(client, forMs, swapping)])
    swaps += count
  }
  for (const error of swapping.errors) say(`rank: a call failed while the model was swapped: ${String(error)}`)
  const swapNote = `${note}; two calls at a time, ${swaps} swaps, one every ${everyMs} ms, ${swapping.latencies.length} calls meanwhile; rounds with and without swaps alternate`
  return [
    comparedRow({
      name: 'Rank while the model is swapped, p99',
      value: quantile(swapping.latencies, 0.99),
      unit: 'ms',
      reference: 'without swaps',
      referenceValue: quantile(quiet.latencies, 0.99),
      aim: 'ratio ≤ 2',
      note: swapNote,
    }),
    plainRow('Rank while the model is swapped, failed calls', swapping.errors.length, 'calls', '≤ 0', swapNote),
  ]
}

/** Two calls at a time for so long. */
async function load(client: RemoteRanker, forMs: number, to: Load): Promise<void> {
  const endMs = nowMs() + forMs
  const one = async (): Promise<void> => {
    while (nowMs() < endMs) {
      const start = performance.now()
      await client.rank(aRequest(candidates), { timeoutMs: 5_000 }).catch((error: unknown) => to.errors.push(error))
      to.latencies.push(performance.now() - start)
    }
  }
  await Promise.all([one(), one()])
}
