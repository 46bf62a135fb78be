import { nowMs } from './browser.ts'
import { callJson } from './http.ts'

/** Tells the catalogue who owns a new board and what it is called. A save does not depend on whether the catalogue takes it. */
export async function describeBoard(board: {
  readonly boardId: string
  readonly ownerId: string
  readonly title: string
}): Promise<void> {
  try {
    await callJson('/api/admin/v1/boards', { body: { boards: [{ ...board, version: nowMs() }] } })
  } catch {
    // The board keeps its name in this browser.
  }
}
