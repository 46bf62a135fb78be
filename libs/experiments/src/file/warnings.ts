import type { Experiments, Layer } from '../experiments.ts'

/** Things in a checked file that are allowed but make weak or misleading experiments, as sentences. */
export function warningsOf(experiments: Experiments): string[] {
  const { layers, holdOut } = experiments
  const isEmpty = layers.every((layer) => layer.experiments.length === 0)
  return [
    ...(holdOut === null && !isEmpty
      ? ['there is no holdOut: the effect of all experiments together cannot be measured']
      : []),
    ...mixedUnits(layers),
    ...layers.flatMap(layerWarnings),
  ]
}

function mixedUnits(layers: readonly Layer[]): string[] {
  return layers
    .filter(({ unit, experiments }) => unit !== 'user' && experiments.length > 0)
    .map(
      ({ name, unit }) =>
        `the layer ${name} draws by ${unit}: one user meets several arms, so effects that last beyond a ${unit} are mixed. Reports compare its arms by ${unit}, with variances by user`,
    )
}

function layerWarnings({ experiments }: Layer): string[] {
  return experiments.flatMap(({ name, control, arms, params, changes }) => {
    const changed = params.length > 0 || changes.sources || changes.model || changes.headFactors
    return [
      ...(changed ? [] : [`the experiment ${name} changes nothing: it is an A/A test`]),
      ...arms
        .filter(({ firstBucket, endBucket }) => endBucket - firstBucket === 1)
        .map((arm) => `the arm ${arm.name} of ${name} has only one bucket: one active user can decide its result`),
      ...arms
        .filter((arm) => arm.name === control && arm.params.length > 0)
        .map((arm) => `the control ${arm.name} of ${name} sets parameters: it is not what other users get`),
    ]
  })
}
