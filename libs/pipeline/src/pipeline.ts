import type { ContextHydrator, Filter, Hydrator, Scorer, Selector, SideEffect, Source } from './stage.ts'

// The engine runs stages one after the other, each on the results of the earlier ones. The types of `pipeline` check that they match.
type AnyContext = Readonly<Record<string, unknown>>
type AnyColumns = Readonly<Record<string, unknown>>

/** A stage as the engine sees it. */
export type AnyStage =
  | ContextHydrator<AnyContext, AnyContext>
  | Source<AnyContext, AnyColumns>
  | Hydrator<AnyContext, AnyColumns, AnyColumns>
  | Scorer<AnyContext, AnyColumns, AnyColumns>
  | Filter<AnyContext, AnyColumns>
  | Selector<AnyContext, AnyColumns, AnyColumns>
  | SideEffect<AnyContext, AnyColumns>

/** An ordered list of stages that turns a request into a context and a slate. */
export interface Pipeline<Input, Context, Columns> {
  readonly name: string
  readonly stages: readonly AnyStage[]
  /** Never set. It makes pipelines of different types incompatible. */
  readonly shape?: (input: Input) => { readonly context: Context; readonly columns: Columns }
}

/** A pipeline before its source. */
export interface ContextStages<Input, Context> {
  hydrate<Added extends object>(stage: ContextHydrator<Context, Added>): ContextStages<Input, Context & Added>
  source<Columns extends object>(stage: Source<Context, Columns>): CandidateStages<Input, Context, Columns>
}

/** A pipeline after its source. Each stage sees what the earlier stages added. */
export interface CandidateStages<Input, Context, Columns> extends Pipeline<Input, Context, Columns> {
  hydrate<Added extends object>(
    stage: Hydrator<Context, Columns, Added>,
  ): CandidateStages<Input, Context, Columns & Added>
  filter(...stages: readonly Filter<Context, Columns>[]): CandidateStages<Input, Context, Columns>
  score<Added extends object>(stage: Scorer<Context, Columns, Added>): CandidateStages<Input, Context, Columns & Added>
  select<Added extends object>(
    ...stages: readonly Selector<Context, Columns, Added>[]
  ): CandidateStages<Input, Context, Columns & Added>
  sideEffect(stage: SideEffect<Context, Columns>): CandidateStages<Input, Context, Columns>
}

/** Begins a pipeline for requests of a type. Its methods throw a RangeError if two stages have the same name, because records identify stages by name. */
export function pipeline<Input extends object>(name: string): ContextStages<Input, Input> {
  return contextStages(name, [])
}

function contextStages<Input, Context>(name: string, stages: readonly AnyStage[]): ContextStages<Input, Context> {
  return {
    hydrate: (stage) => contextStages(name, and(stages, stage)),
    source: (stage) => candidateStages(name, and(stages, stage)),
  }
}

function candidateStages<Input, Context, Columns>(
  name: string,
  stages: readonly AnyStage[],
): CandidateStages<Input, Context, Columns> {
  return {
    name,
    stages,
    hydrate: (stage) => candidateStages(name, and(stages, stage)),
    filter: (...filters) => candidateStages(name, filters.reduce(and, stages)),
    score: (stage) => candidateStages(name, and(stages, stage)),
    select: (...selectors) => candidateStages(name, selectors.reduce(and, stages)),
    sideEffect: (stage) => candidateStages(name, and(stages, stage)),
  }
}

function and(
  stages: readonly AnyStage[],
  stage: { readonly name: string; readonly kind: string },
): readonly AnyStage[] {
  if (stages.some(({ name }) => name === stage.name)) throw new RangeError(`two stages are named ${stage.name}`)
  return [...stages, stage as AnyStage]
}
