import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeArtefact, encodeArtefact } from '@freshet/ranking/artefact/bytes'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { createCommandLine } from '../command-line.ts'

const backend = process.env['TENSORFLOW_BACKEND'] ?? 'wasm'
let folder: string

const specs = {
  good: `spec good
input creator: category
input age: scalar
head save: probability = linear(vocabulary(creator, max: 3), log1p(age))
train epochs: 2
`,
  changed: `spec good
input creator: category
input age: scalar
head save: probability = linear(vocabulary(creator, max: 3), age)
train epochs: 2
`,
  unknown: 'spec a\ninput candidate.topic_afinity\nhead save: probability = linear(candidate.topic_afinity)\n',
  shape:
    'spec a\ninput pin.age\nfeature d = dot(concat(pin.age, 1), concat(pin.age, 1, 2))\nhead save: probability = linear(d)\n',
  cycle: 'spec a\ninput pin.age\nfeature a = b\nfeature b = a + pin.age\nhead save: probability = linear(a)\n',
  prediction: 'spec a\ninput pin.age\nfeature f = save + pin.age\nhead save: probability = linear(f)\n',
  label: 'spec a\ninput age: scalar\ninput saved: scalar\nhead save: probability = linear(age, saved), label: saved\n',
  future: 'spec a\ninput pin.age, candidate.position\nhead save: probability = linear(pin.age, candidate.position)\n',
  early:
    'spec a\ninput candidate.position\ntraining only candidate.position = 0\nfirst phase keep 9 by candidate.position\nhead save: probability = linear(candidate.position)\n',
  shadow: 'spec a\ninput pin.age\nfeature pin = pin.age\nhead save: probability = linear(pin.age)\n',
  forest: 'spec a\ninput age: scalar\nhead save: probability = forest(age, file: "trees.txt")\n',
} as const

function row(at: number): string {
  return JSON.stringify({ labels: { save: at % 2 }, values: { creator: `c${at % 3}`, age: at % 7 } })
}

const corrupt = [
  '{"labels": {"save": 1}, "values": {"age": NaN}}',
  '{"labels": {"save": 1}, "val',
  '{"labels": {"save": 3}, "values": {"age": 1}}',
  '{"labels": {"save": 0}, "values": {"age": "old"}}',
]
const rows = Array.from({ length: 400 }, (_, at) => row(at))
const files: Readonly<Record<string, readonly string[]>> = {
  rows,
  empty: [],
  oneClass: rows.filter((_, at) => at % 2 === 1),
  someCorrupt: rows.map((line, at) => (at % 100 === 50 ? corrupt[Math.floor(at / 100)]! : line)),
  allCorrupt: rows.map((line, at) => (at % 10 === 5 ? corrupt[0]! : line)),
}

/** What a run of the command line wrote, and its exit code. */
async function freshet(...args: readonly string[]): Promise<{ readonly exitCode: number; readonly said: string }> {
  const said: string[] = []
  let exitCode = 0
  const write = (text: unknown): boolean => said.push(String(text)) > 0
  vi.spyOn(process.stdout, 'write').mockImplementation(write)
  vi.spyOn(process.stderr, 'write').mockImplementation(write)
  vi.spyOn(process, 'exit').mockImplementation((code) => {
    exitCode = Number(code)
    throw new Error('the command ended')
  })
  // The commands of a test file share a process, whose listeners each of them would add to.
  vi.spyOn(process, 'once').mockReturnValue(process)
  vi.spyOn(process.stdout, 'once').mockReturnValue(process.stdout)
  const running = createCommandLine().parseAsync(['node', 'freshet', ...args])
  await running.catch((error: unknown) => {
    if (exitCode === 0) throw error
  })
  vi.restoreAllMocks()
  return { exitCode, said: said.join('') }
}

const path = (name: string): string => join(folder, name)
const specOf = (name: keyof typeof specs): string => path(`${name}.rank`)
const rowsOf = (name: string): string => path(`${name}.jsonl`)
const train = (spec: keyof typeof specs, data: string, ...more: readonly string[]) =>
  freshet('train', specOf(spec), '--rows', rowsOf(data), '--backend', backend, ...more)
const evaluate = (spec: keyof typeof specs, model: string) =>
  freshet('spec', 'eval', specOf(spec), '--rows', rowsOf('rows'), '--backend', backend, '--model', path(model))

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'freshet-bad-'))
  for (const [name, text] of Object.entries(specs)) await writeFile(path(`${name}.rank`), text)
  for (const [name, lines] of Object.entries(files)) await writeFile(rowsOf(name), lines.join('\n'))
  await writeFile(path('trees.txt'), 'tree\nversion=v9\nnum_class=1\n')
  expect(await train('good', 'rows', '--out', folder)).toMatchObject({ exitCode: 0 })
  const bytes = await readFile(path('model.freshet'))
  await writeFile(path('half.freshet'), bytes.subarray(0, bytes.length / 2))
  const artefact = decodeArtefact(bytes, 'model')
  const fitted = new Map(
    [...artefact.model.parameters.fitted].map(([id, state]) => [
      id,
      { ...(state as object), names: ['c0', 'c1', 'c2', 'c3', 'c4'] },
    ]),
  )
  const { plan, parameters } = artefact.model
  await writeFile(
    path('grown.freshet'),
    encodeArtefact({ ...artefact, model: { plan, parameters: { ...parameters, fitted } } }),
  )
}, 60_000)
afterEach(() => vi.restoreAllMocks())
afterAll(() => rm(folder, { recursive: true }))

describe('freshet spec check', () => {
  it.each([
    ['an unknown name', 'unknown', 'SPEC_UNKNOWN_NAME', 'did you mean `candidate.topic_affinity`?'],
    ['a wrong shape', 'shape', 'SPEC_TYPE', 'takes vectors of one size, not vector[2] and vector[3]'],
    ['a cycle', 'cycle', 'SPEC_CYCLE', '`a` depends on itself: a → b → a'],
    ['a feature that reads a prediction', 'prediction', 'SPEC_READS_LABEL', '`save` is a head'],
    ['a feature that reads the future', 'future', 'SPEC_READS_FUTURE', 'add `training only candidate.position = 0`'],
    ['a first phase that reads the future', 'early', 'SPEC_READS_TRAINING_ONLY', 'the first phase reads'],
    ['a name that shadows inputs', 'shadow', 'SPEC_SHADOWED', '`pin` shadows the group of the input pin.age'],
  ] as const)('refuses %s', async (_, spec, code, text) => {
    const { exitCode, said } = await freshet('spec', 'check', specOf(spec))
    expect({ exitCode, said }).toMatchObject({
      exitCode: 78,
      said: expect.stringMatching(`^freshet: ${code}: `) as string,
    })
    expect(said).toContain(text)
  })
})

describe('freshet train', () => {
  it.each([
    ['a feature that reads the label', 'label', 'rows', 'SPEC_READS_LABEL', '`saved` is a label'],
    ['an empty training window', 'good', 'empty', 'ROWS_EMPTY', 'has no rows'],
    ['one class only', 'good', 'oneClass', 'TRAINING_ONE_CLASS', 'the label save is 1 in all 200 of 200 rows'],
    [
      'too many corrupt rows',
      'good',
      'allCorrupt',
      'ROWS_CORRUPT',
      '40 of 400 rows left out: 40 × not JSON: NaN or Infinity (first at line 6)',
    ],
    ['a forest of another format version', 'forest', 'rows', 'FOREST_INVALID', 'version=v9 is not supported'],
  ] as const)('refuses %s', async (_, spec, data, code, text) => {
    const { exitCode, said } = await train(spec, data)
    expect(exitCode).toBeGreaterThan(0)
    expect(said).toContain(`freshet: ${code}: `)
    expect(said).toContain(text)
  })

  it('leaves out 1 % of corrupt rows, and says how many and why', async () => {
    const { exitCode, said } = await train('good', 'someCorrupt')
    expect(exitCode).toBe(0)
    expect(said).toContain('396 rows\n  left out 4 of 400 rows (1.00 %):\n')
    expect(said).toContain('    1, the first at line 51: not JSON: NaN or Infinity\n')
    expect(said).toContain('    1, the first at line 151: not JSON\n')
    expect(said).toContain('    1, the first at line 251: label "save" is not 0 or 1\n')
    expect(said).toContain('    1, the first at line 351: "age" is not a number\n')
  })
})

describe('freshet spec eval', () => {
  it.each([
    ['an artefact that is cut in half', 'good', 'half.freshet', 'MODEL_ARTEFACT_TRUNCATED', /has \d+ bytes of \d+/],
    ['a file that is not an artefact', 'good', 'rows.jsonl', 'MODEL_ARTEFACT_FOREIGN', /does not begin with the mark/],
    [
      'a model of another plan',
      'changed',
      'model.freshet',
      'MODEL_PLAN_DIFFERS',
      /was trained for the plan [0-9a-f]{16}/,
    ],
    [
      'a vocabulary that grew',
      'good',
      'grown.freshet',
      'MODEL_WEIGHTS_MISFIT',
      /have 5 names; the vocabulary has at most 3/,
    ],
  ] as const)('refuses %s', async (_, spec, model, code, text) => {
    const { exitCode, said } = await evaluate(spec, model)
    expect(exitCode).toBeGreaterThan(0)
    expect(said).toContain(`freshet: ${code}: `)
    expect(said).toMatch(text)
  })
})
