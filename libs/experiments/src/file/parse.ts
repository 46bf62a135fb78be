import { createHash } from 'node:crypto'
import { nearest } from '@freshet/domain/nearest'
import type { z } from 'zod'
import type { Arm, Experiment, Experiments, Layer } from '../experiments.ts'
import { holdOutName } from '../experiments.ts'
import { ExperimentsError, type ExperimentProblem } from './experiments-error.ts'
import { bucketCount, fileSchema, type ArmOfFile, type ExperimentFile } from './file-schema.ts'
import { overlapProblems } from './overlaps.ts'
import type { ReadParameters } from './parameters.ts'

/** What arms may change. */
export interface ExperimentRules {
  readonly readParameters: ReadParameters
  /** Names of the candidate sources. */
  readonly sources: readonly string[]
}

/** The largest experiment file, in characters. */
const maxChars = 1 << 20

/** Checks an experiment file. Throws an ExperimentsError with all problems; `file` is its name for messages. */
export function parseExperiments(text: string, file: string, rules: ExperimentRules): Experiments {
  const given = shapeOf(text, file)
  const problems: ExperimentProblem[] = []
  const layers = given.layers.map((layer, at) => readLayer(layer, `layers[${at}]`, rules, problems))
  problems.push(...nameProblems(given), ...overlapProblems(layers))
  const { holdOut = null } = given
  if (holdOut !== null && !isWholeBuckets(holdOut.share)) problems.push(shareProblem('holdOut.share', holdOut.share))
  if (problems.length > 0) throw new ExperimentsError(file, problems)
  const version = createHash('sha256').update(text).digest('hex').slice(0, 16)
  return {
    version,
    holdOut: holdOut === null ? null : { buckets: Math.round(holdOut.share * bucketCount), salt: holdOut.salt },
    layers,
  }
}

function shapeOf(text: string, file: string): ExperimentFile {
  if (text.length > maxChars)
    throw new ExperimentsError(file, [unreadable(`has ${text.length} characters; at most ${maxChars} are allowed`)])
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (cause) {
    throw new ExperimentsError(file, [unreadable(`is not JSON: ${(cause as Error).message}`)], { cause })
  }
  const parsed = fileSchema.safeParse(json)
  if (parsed.success) return parsed.data
  throw new ExperimentsError(file, parsed.error.issues.map(shapeProblem))
}

function unreadable(text: string): ExperimentProblem {
  return { code: 'EXPERIMENTS_UNREADABLE', path: '', text }
}

function shapeProblem(issue: z.core.$ZodIssue): ExperimentProblem {
  const path = pathText(issue.path)
  return { code: 'EXPERIMENTS_SHAPE', path: path === '' ? 'the file' : path, text: `is not allowed: ${issue.message}` }
}

function pathText(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (text, key) => (typeof key === 'number' ? `${text}[${key}]` : text === '' ? String(key) : `${text}.${String(key)}`),
    '',
  )
}

type LayerOfFile = ExperimentFile['layers'][number]
type ExperimentOfFile = LayerOfFile['experiments'][number]

function readLayer(given: LayerOfFile, at: string, rules: ExperimentRules, problems: ExperimentProblem[]): Layer {
  const { name, salt, unit } = given
  let next = 0
  const experiments = given.experiments.map((experiment, index) => {
    const path = `${at}.experiments[${index}]`
    const read = readExperiment(experiment, path, experiment.firstBucket ?? next, { rules, problems })
    next = read.arms.at(-1)!.endBucket
    return read
  })
  problems.push(...bucketProblems(given, experiments, at))
  return { name, salt, unit, experiments }
}

function readExperiment(
  given: ExperimentOfFile,
  at: string,
  firstBucket: number,
  { rules, problems }: { readonly rules: ExperimentRules; readonly problems: ExperimentProblem[] },
): Experiment {
  let next = firstBucket
  const arms = given.arms.map((arm, index): Arm => {
    const path = `${at}.arms[${index}]`
    if (!isWholeBuckets(arm.share)) problems.push(shareProblem(`${path}.share`, arm.share))
    const reading = rules.readParameters(arm.params, `${path}.params`)
    problems.push(...reading.problems, ...sourceProblems(arm, path, rules.sources))
    const { name, onlySources, withoutSources, model, headFactors } = arm
    const from = next
    next += Math.max(1, Math.round(arm.share * bucketCount))
    const factors = new Map(Object.entries(headFactors))
    return {
      ...{ name, firstBucket: from, endBucket: next, params: reading.values },
      ...{ onlySources, withoutSources, model, headFactors: factors },
    }
  })
  const paths = new Map(arms.flatMap(({ params }) => params.map(({ path }) => [path.join('.'), path] as const)))
  return {
    name: given.name,
    control: given.control,
    arms,
    params: [...paths.values()],
    changes: {
      sources: arms.some(({ onlySources, withoutSources }) => onlySources.length + withoutSources.length > 0),
      model: arms.some(({ model }) => model !== ''),
      headFactors: arms.some(({ headFactors }) => headFactors.size > 0),
    },
  }
}

function isWholeBuckets(share: number): boolean {
  const buckets = share * bucketCount
  return buckets >= 0.999 && Math.abs(buckets - Math.round(buckets)) < 1e-6
}

function shareProblem(path: string, share: number): ExperimentProblem {
  return { code: 'EXPERIMENTS_SHARES', path, text: `is ${share}; give a whole number of thousandths, from 0.001 to 1` }
}

/** Problems of buckets that two experiments need, or that do not exist. */
function bucketProblems({ name }: LayerOfFile, experiments: readonly Experiment[], at: string): ExperimentProblem[] {
  const owners = new Map<number, string>()
  for (const [index, experiment] of experiments.entries()) {
    const path = `${at}.experiments[${index}]`
    const last = experiment.arms.at(-1)!.endBucket
    if (last > bucketCount) {
      const text = `ends at bucket ${last}, but the layer ${name} has ${bucketCount}: the shares of the layer are ${last / bucketCount} in all`
      return [{ code: 'EXPERIMENTS_SHARES', path, text }]
    }
    for (let bucket = experiment.arms[0]!.firstBucket; bucket < last; bucket++) {
      const owner = owners.get(bucket)
      if (owner !== undefined) {
        const text = `needs bucket ${bucket}, which the experiment ${owner} has; give another firstBucket`
        return [{ code: 'EXPERIMENTS_SHARES', path, text }]
      }
      owners.set(bucket, experiment.name)
    }
  }
  return []
}

function sourceProblems(arm: ArmOfFile, at: string, known: readonly string[]): ExperimentProblem[] {
  return (['onlySources', 'withoutSources'] as const).flatMap((field) =>
    arm[field].flatMap((source, index): ExperimentProblem[] => {
      if (known.includes(source)) return []
      const close = nearest(source, known)
      const hint = close === null ? `the sources are ${known.join(', ')}` : `did you mean ${close}?`
      const text = `is ${JSON.stringify(source)}, which is not a source; ${hint}`
      return [{ code: 'EXPERIMENTS_SOURCE', path: `${at}.${field}[${index}]`, text }]
    }),
  )
}

function nameProblems({ layers, holdOut }: ExperimentFile): ExperimentProblem[] {
  const problems: ExperimentProblem[] = []
  const once = (seen: Set<string>, name: string, path: string, what: string): void => {
    if (seen.has(name)) problems.push({ code: 'EXPERIMENTS_NAME', path, text: `repeats the ${what} ${name}` })
    seen.add(name)
  }
  const names = { layers: new Set([holdOutName]), experiments: new Set([holdOutName]) }
  const salts = new Set(holdOut === undefined ? [] : [holdOut.salt])
  for (const [at, layer] of layers.entries()) {
    once(names.layers, layer.name, `layers[${at}].name`, 'name')
    once(salts, layer.salt, `layers[${at}].salt`, 'salt')
    for (const [index, { name, control, arms }] of layer.experiments.entries()) {
      const path = `layers[${at}].experiments[${index}]`
      once(names.experiments, name, `${path}.name`, 'name')
      const ofArms = new Set<string>()
      for (const [place, arm] of arms.entries()) once(ofArms, arm.name, `${path}.arms[${place}].name`, 'name')
      if (ofArms.has(control)) continue
      const text = `is ${control}; name one of the arms ${[...ofArms].join(', ')}`
      problems.push({ code: 'EXPERIMENTS_NAME', path: `${path}.control`, text })
    }
  }
  return problems
}
