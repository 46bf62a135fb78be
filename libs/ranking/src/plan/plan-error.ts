import { CodedError } from '@freshet/domain/coded-error'
import { rankingErrorCatalogue } from '../errors.ts'

type PlanErrorCode = 'PLAN_INVALID' | 'PLAN_STATISTICS_MISMATCHED' | 'PLAN_INPUT_MISMATCHED' | 'PLAN_UNFITTABLE'

/** A plan cannot be used, its statistics are not the plan's, or a caller gives it other inputs. `problems` lists all. */
export class PlanError extends CodedError<PlanErrorCode> {
  readonly problems: readonly string[]

  constructor(code: PlanErrorCode, spec: string, problems: readonly string[], options?: ErrorOptions) {
    const [single] = problems
    const list = problems.length === 1 ? ` ${single}` : problems.map((problem) => `\n  ${problem}`).join('')
    super(code, rankingErrorCatalogue[code], `the plan of ${spec}:${list}`, options)
    this.problems = problems
  }
}
