import { callJson } from '../../api/http.ts'
import type { SentFile } from './types.ts'

/** Bytes of a request. Small enough for the console's memory, large enough to be quick. */
const pieceBytes = 512 * 1024
const at = '/api/console/operate/imports'

/** Sends a file in pieces. `onSent` gets the bytes so far. Rejects with a Failure. */
export async function sendFile(
  file: File,
  { onSent, signal }: { readonly onSent: (bytes: number) => void; readonly signal: AbortSignal },
): Promise<SentFile> {
  let sent = await callJson<SentFile>(at, { body: { name: file.name }, signal })
  for (let offset = 0; offset < file.size; offset += pieceBytes) {
    const piece = file.slice(offset, offset + pieceBytes)
    sent = await callJson<SentFile>(`${at}/${sent.id}/pieces?at=${offset}`, {
      body: piece,
      headers: { 'content-type': 'application/octet-stream' },
      timeoutMs: 60_000,
      signal,
    })
    onSent(Math.min(file.size, offset + pieceBytes))
  }
  return sent
}

/** The path of a sent file. */
export function pathOf(id: string, rest = ''): string {
  return `${at}/${encodeURIComponent(id)}${rest}`
}
