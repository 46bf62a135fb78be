import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mulberry32 } from '@freshet/domain/mulberry32'
import type { Pin } from '@freshet/domain/pin'
import { decodeArtefact, sha256 } from '@freshet/ranking/artefact/bytes'
import { artefactSource } from '@freshet/ranking/artefact/source'
import { noPinFacts, unknownPage } from '@freshet/ranking/serving/page'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Terminal } from '../operations/terminal.ts'
import { runTrain } from './command.ts'
import type { TrainReport } from './report.ts'

let folder: string

/** Rows in which fans of a topic click on it; `strange` lines are not rows. */
function rowsText(count: number, seed: number, strange = 0): string {
  const random = mulberry32(seed)
  const lines = Array.from({ length: count }, () => {
    const [user, topic] = [Math.floor(random() * 4), Math.floor(random() * 4)]
    const click = random() < (user === topic ? 0.9 : 0.1) ? 1 : 0
    return JSON.stringify({ labels: { click }, values: { user: `u${user}`, topic: `t${topic}`, hour: 24 * random() } })
  })
  return [...lines, ...Array.from({ length: strange }, () => '{"labels": {"click": "yes"}, "values": {}}'), ''].join(
    '\n',
  )
}

/** Rows under the names that serving has. */
function servedRowsText(count: number, seed: number): string {
  const random = mulberry32(seed)
  const lines = Array.from({ length: count }, () => {
    const [score, creator] = [random(), Math.floor(random() * 4)]
    const click = random() < (creator === 1 ? 0.8 : score / 3) ? 1 : 0
    const values = {
      'candidate.retrieval_score': score,
      'pin.creator': `c${creator}`,
      'user.id': `u${Math.floor(random() * 9)}`,
    }
    return JSON.stringify({ labels: { click }, values })
  })
  return [...lines, ''].join('\n')
}

const servedInputs = `input candidate.retrieval_score: scalar
input pin.creator: category
input user.id: category
`

const specs = {
  served_wide: `spec served_wide
${servedInputs}head click: probability = linear(standardise(candidate.retrieval_score), hash(pin.creator, rows: 64), hash(user.id, rows: 64))
train epochs: 4, rate: 0.01
`,
  served_deep: `spec served_deep
${servedInputs}feature tastes = embedding(vocabulary(pin.creator, max: 8), hash(user.id, rows: 64), size: 4)
head click: probability = linear(dcn_v2(tastes, candidate.retrieval_score, cross: 1, hidden: [8])), calibrate: platt
train epochs: 25, rate: 0.03, batch: 100, patience: 3
`,
  wide: `spec wide
input user: category
input topic: category
head click: probability = linear(hash(cross(user, topic), rows: 4096))
utility = click
train epochs: 6, rate: 0.004
`,
  deep: `spec deep
input user: category
input topic: category
input hour: scalar
feature tastes = embedding(vocabulary(user, max: 8), vocabulary(topic, max: 8), size: 4)
head click: probability = linear(dcn_v2(tastes, hour / 24, cross: 1, hidden: [8])), calibrate: platt
utility = click
train epochs: 25, rate: 0.03, batch: 100, patience: 3
`,
}

/** Runs the command; returns its answer and its progress. */
async function train(
  spec: keyof typeof specs,
  more: {
    readonly json?: boolean
    readonly out?: string
    readonly rows?: string
    readonly validate?: string
    readonly test?: string
  } = {},
) {
  const [answer, progress]: [string[], string[]] = [[], []]
  let now = 0
  const terminal: Terminal = {
    write: (text) => void answer.push(text),
    progress: { write: (text) => progress.push(text) },
    nowMs: () => (now += 100),
    signal: new AbortController().signal,
  }
  const file = (name: string): string => join(folder, name)
  const files = { rows: file('train.jsonl'), validate: file('valid.jsonl'), test: file('test.jsonl') }
  const backend = process.env['TENSORFLOW_BACKEND'] ?? 'wasm'
  await runTrain(file(`${spec}.rank`), { ...files, seed: '3', backend, ...more }, terminal)
  return { answer: answer.join(''), progress: progress.join('') }
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'freshet-train-'))
  await writeFile(join(folder, 'served.jsonl'), servedRowsText(800, 4))
  await writeFile(join(folder, 'train.jsonl'), rowsText(800, 1, 2))
  await writeFile(join(folder, 'valid.jsonl'), rowsText(400, 2))
  await writeFile(join(folder, 'test.jsonl'), rowsText(400, 3))
  for (const [name, text] of Object.entries(specs)) await writeFile(join(folder, `${name}.rank`), text)
})

afterAll(() => rm(folder, { recursive: true }))

describe('freshet train', () => {
  it.each(['wide', 'deep'] as const)('learns the spec %s and prints its figures on the test rows', async (spec) => {
    const { answer } = await train(spec, { json: true })
    const report = JSON.parse(answer) as TrainReport
    expect(report).toMatchObject({ spec, rows: 800 })
    const { auc, logLoss, calibration, deciles, rows } = report.test!['click']!
    expect(rows).toBe(400)
    expect(auc).toBeGreaterThan(0.75)
    expect(logLoss).toBeLessThan(0.5)
    expect(calibration).toBeGreaterThan(0.7)
    expect(calibration).toBeLessThan(1.4)
    expect(deciles.at(-1)!.observed).toBeGreaterThan(deciles[0]!.observed)
  })

  it('says which rows it left out, and how fast it is', async () => {
    const { answer, progress } = await train('wide')
    expect(progress).toMatch(
      /train\.jsonl: 800 rows\n {2}left out 2 of 802 rows \(0\.25 %\):\n {4}2, the first at line 801/,
    )
    expect(progress).toMatch(/epoch 1 of at most 6: .*AUC 0\.\d+, log loss 0\.\d+ · \d+ rows\/s, at most \d+ s left/)
    expect(answer).toMatch(/^wide \(plan [0-9a-f]{16}\): 800 rows/)
    expect(answer).toMatch(/test · click: AUC 0\.\d{5}, log loss 0\.\d{5}, calibration \d\.\d{4} \(400 rows\)/)
  })

  it('writes the model as an artefact', async () => {
    const out = join(folder, 'model')
    await train('wide', { out })
    const { manifest, model } = decodeArtefact(await readFile(join(out, 'model.freshet')), 'model')
    expect(manifest).toMatchObject({ specText: specs.wide, trainingRows: 800, heldOutRows: 400 })
    expect(model.plan.spec).toBe('wide')
    expect(model.parameters.weights.size).toBeGreaterThan(0)
  })

  it.each(['served_wide', 'served_deep'] as const)('writes a model of %s that the ranker serves', async (spec) => {
    const out = join(folder, `model-${spec}`)
    const rows = join(folder, 'served.jsonl')
    await train(spec, { out, rows, validate: rows, test: rows })
    const bytes = await readFile(join(out, 'model.freshet'))
    const { manifest } = decodeArtefact(bytes, 'model')
    const serving = await artefactSource({ ...manifest, sha256: sha256(bytes) }, async () => bytes).build()
    const creators = ['c0', 'c1']
    const pinOf = (creator: string) => ({ pin: { creatorId: creator, topics: [] } as unknown as Pin })
    const facts = { ...noPinFacts, entryOf: (pinId: string) => pinOf(creators[Number(pinId.slice(-1)) % 2]!) }
    const { predictions } = serving.score(unknownPage(2), facts)
    expect(predictions[1]).toBeGreaterThan(0.6)
    expect(predictions[0]).toBeLessThan(0.4)
    serving.dispose()
  })

  it('refuses arguments that it cannot use', async () => {
    const terminal = { progress: { write: () => 0 }, nowMs: () => 0 } as unknown as Terminal
    const given = { rows: 'x', seed: 'one', backend: 'wasm' }
    await expect(runTrain('x.rank', given, terminal)).rejects.toThrow('--seed is one')
    await expect(runTrain('x.rank', { ...given, seed: '1', backend: 'gpu' }, terminal)).rejects.toThrow(
      '--backend is gpu',
    )
    await expect(runTrain('/nowhere.rank', { ...given, seed: '1' }, terminal)).rejects.toThrow('cannot be read')
  })
})
