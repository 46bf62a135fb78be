/** Raw JSON behind a fold. */
export function JsonFold({ value, name = 'Raw JSON' }: { readonly value: unknown; readonly name?: string }) {
  return (
    <details className="fold">
      <summary>{name}</summary>
      <pre tabIndex={0}>{JSON.stringify(value, null, 2)}</pre>
    </details>
  )
}
