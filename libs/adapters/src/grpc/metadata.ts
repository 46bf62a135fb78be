import { Metadata } from '@grpc/grpc-js'
import { headerNames, noHeaders, type MessageHeaders } from '@freshet/contracts/headers'

/** The headers that metadata carries. No others, because metadata also holds API keys and entries of the transport. */
const carried = [headerNames.traceparent, headerNames.tracestate]

/** Reads the headers of a unary call from its metadata. */
export function headersIn(metadata: Metadata): MessageHeaders {
  const found = carried.flatMap((name) => {
    const values = metadata.get(name)
    return values.length === 0 ? [] : [[name, values.join(',')] as const]
  })
  return found.length === 0 ? noHeaders : Object.freeze(Object.fromEntries(found))
}

/** Writes headers as the metadata of a unary call. */
export function metadataOf(headers: MessageHeaders): Metadata {
  const metadata = new Metadata()
  for (const name of carried) {
    const value = headers[name]
    if (value !== undefined) metadata.set(name, value)
  }
  return metadata
}
