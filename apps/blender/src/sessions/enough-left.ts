import type { Selector } from '@freshet/pipeline/stage'
import type { FeedRequest } from '../request.ts'

/** Takes no pin if the reserve does not fill the page: then the whole pipeline makes it, and a new reserve. */
export function enoughLeft(): Selector<Pick<FeedRequest, 'pageSize'>, object> {
  return {
    kind: 'selector',
    name: 'enough-left',
    policy: 'required',
    reasons: ['reserve-short'],
    run: ({ pageSize }, { rows }) => ({ rows: rows.length < pageSize ? rows.subarray(0, 0) : rows }),
  }
}
