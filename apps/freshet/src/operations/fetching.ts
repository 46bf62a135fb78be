/** An answer, as far as commands read it: `Response` of `fetch` is one. */
export interface Fetched {
  readonly ok: boolean
  readonly status: number
  readonly headers: { get(name: string): string | null }
  json(): Promise<unknown>
}

/** A request, as far as commands make it: `fetch` is one way. Rejects if no answer comes. */
export type Fetching = (
  url: URL,
  request: {
    readonly method: string
    readonly headers: Readonly<Record<string, string>>
    readonly body?: string
    readonly signal?: AbortSignal
  },
) => Promise<Fetched>
