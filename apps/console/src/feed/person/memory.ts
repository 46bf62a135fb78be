/** A board of a user. */
export interface Board {
  readonly boardId: string
  readonly name: string
}

/** A save that the user made on this page. */
export interface Save {
  readonly pinId: string
  readonly boardId: string
  readonly title: string
  readonly topics: readonly string[]
  readonly creatorId: string
  readonly atMs: number
}

/** What this browser remembers of a user, to draw buttons and to name causes. The services have their own record. */
export interface Memory {
  readonly boards: readonly Board[]
  /** The board of the last save; empty: none yet. */
  readonly lastBoardId: string
  /** Newest first. */
  readonly saves: readonly Save[]
  readonly creators: readonly string[]
  readonly topics: readonly string[]
}

const maxSaves = 200

/** A user of whom this browser knows nothing. */
export const emptyMemory: Memory = { boards: [], lastBoardId: '', saves: [], creators: [], topics: [] }

/** Reads what was stored; anything else gives an empty memory. */
export function parseMemory(text: string | null): Memory {
  if (text === null) return emptyMemory
  try {
    const json = JSON.parse(text) as Partial<Memory> | null
    return { ...emptyMemory, ...json }
  } catch {
    return emptyMemory
  }
}

/** The id that a new board of a user gets. Ids are shared by all users, so it holds the user's. */
export function boardIdOf(userId: string, name: string): string {
  const slug = name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '-')
    .replace(/^-|-$/g, '')
  return `${userId}.${slug || 'board'}`.slice(0, 128)
}

/** Adds a board, unless there is one with that id. */
export function withBoard(memory: Memory, board: Board): Memory {
  if (memory.boards.some(({ boardId }) => boardId === board.boardId)) return memory
  return { ...memory, boards: [...memory.boards, board] }
}

/** Remembers a save. */
export function withSave(memory: Memory, save: Save): Memory {
  const others = memory.saves.filter(({ pinId }) => pinId !== save.pinId)
  return { ...memory, saves: [save, ...others].slice(0, maxSaves), lastBoardId: save.boardId }
}

/** Forgets a save that was undone. */
export function withoutSave(memory: Memory, pinId: string): Memory {
  return { ...memory, saves: memory.saves.filter((save) => save.pinId !== pinId) }
}

/** Follows a creator or a topic, or no longer does. */
export function withFollow(memory: Memory, kind: 'creators' | 'topics', id: string, follows: boolean): Memory {
  const others = memory[kind].filter((other) => other !== id)
  return { ...memory, [kind]: follows ? [...others, id] : others }
}
