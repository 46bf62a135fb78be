/** A call of the public API through the console: with a body, POST. Throws if it is refused. */
export async function ask(url: string, body?: object, method = body === undefined ? 'GET' : 'POST'): Promise<unknown> {
  const answer = await fetch(url, {
    method,
    ...(body !== undefined && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  })
  const text = await answer.text()
  if (!answer.ok) throw new Error(`${url}: ${answer.status} ${text}`)
  return text === '' ? null : (JSON.parse(text) as unknown)
}

/** A page of the feed of a user, as an application gets it. */
export interface ApiFeed {
  readonly feedId: string
  readonly items: readonly { readonly pinId: string; readonly position: number; readonly sources: readonly string[] }[]
  readonly nextPageToken: string
  readonly freshness: string
  readonly degradation: string
  readonly seeds: readonly {
    readonly source: string
    readonly seeds: readonly { readonly pinId: string; readonly action: string; readonly occurredAtMs: number }[]
  }[]
}

/** A page of the feed of a user through the console at `url`. */
export async function apiFeed(
  url: string,
  request: { readonly userId: string } & Record<string, unknown>,
): Promise<ApiFeed> {
  return (await ask(`${url}/api/feeds/v1/feed`, request)) as ApiFeed
}

/** What the updater counted of all events. */
export async function progressOf(url: string): Promise<Readonly<Record<string, number>>> {
  const { counts } = (await ask(`${url}/api/operations/freshet/v1/progress`)) as { counts: Record<string, number> }
  return counts
}
