import { noHeaders, type MessageHeaders } from '@freshet/contracts/headers'
import type { LogRecord } from '@freshet/contracts/ports/event-log'
import { traceOf } from '@freshet/contracts/trace-context'

const none = {}

/** What goes with a record that another record leads to: its trace. Records in a row of one trace share one object. */
export function onwardHeaders({ headers }: Pick<LogRecord, 'headers'>): { readonly headers?: MessageHeaders } {
  const trace = traceOf(headers)
  return trace === noHeaders ? none : { headers: trace }
}
