import type { Experiment, Layer } from '../experiments.ts'
import type { ExperimentProblem } from './experiments-error.ts'

/**
 * Parameters that two layers change. A request is in both layers at once, so one would undo the other. A path overlaps with those
 * below it: `sources` of `onlySources` overlaps with every single source.
 */
export function overlapProblems(layers: readonly Layer[]): ExperimentProblem[] {
  const owners = new Map<string, { readonly experiment: string; readonly layer: number }>()
  const problems: ExperimentProblem[] = []
  for (const [at, layer] of layers.entries())
    for (const [index, experiment] of layer.experiments.entries())
      for (const path of pathsOf(experiment)) {
        const other = [...owners].find(([owned, { layer: of }]) => of !== at && isWithin(path, owned))
        if (other === undefined) owners.set(path, { experiment: experiment.name, layer: at })
        else {
          const [owned, owner] = other
          const text = `changes ${path}, but the experiment ${owner.experiment} of the layer ${layers[owner.layer]!.name} changes ${owned}; put both into one layer`
          problems.push({ code: 'EXPERIMENTS_OVERLAP', path: `layers[${at}].experiments[${index}]`, text })
        }
      }
  return problems
}

function pathsOf({ params, arms, changes }: Experiment): string[] {
  const all = arms.some(({ onlySources }) => onlySources.length > 0)
  const sources = all
    ? ['sources']
    : arms.flatMap(({ withoutSources }) => withoutSources.map((name) => `sources.${name}`))
  const heads = arms.flatMap(({ headFactors }) => [...headFactors.keys()].map((head) => `headFactors.${head}`))
  const ofParams = params.map((path) => path.join('.'))
  return [...new Set([...ofParams, ...sources, ...heads, ...(changes.model ? ['model'] : [])])]
}

function isWithin(a: string, b: string): boolean {
  return a === b || a.startsWith(`${b}.`) || b.startsWith(`${a}.`)
}
