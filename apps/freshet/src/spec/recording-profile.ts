/** What a recording contains, as far as a spec depends on it. */
export interface RecordingProfile {
  readonly pins: number
  /** Pins of the catalogue that have this. */
  readonly withTopics: number
  readonly withCreator: number
  readonly topics: number
  readonly creators: number
  readonly users: number
  readonly engagements: number
  /** Engagements by action. */
  readonly actions: ReadonlyMap<string, number>
  readonly withBoard: number
  readonly withSession: number
  /** Follows of topics and creators. */
  readonly follows: number
}

/** Fields of a line that the profile reads. */
interface Line {
  readonly pin?: { readonly topics?: readonly string[]; readonly creatorId?: string }
  readonly engagement?: {
    readonly userId?: string
    readonly action?: string
    readonly boardId?: string
    readonly sessionId?: string
    readonly topicId?: string
    readonly creatorId?: string
  }
}

/** Counts the lines of a recording, one at a time; other lines than pins and engagements do not count. */
export function createRecordingProfiler(): { add(line: object): void; profile(): RecordingProfile } {
  const [users, topics, creators] = [new Set<string>(), new Set<string>(), new Set<string>()]
  const actions = new Map<string, number>()
  const counts = { pins: 0, withTopics: 0, withCreator: 0, engagements: 0, withBoard: 0, withSession: 0, follows: 0 }
  return {
    add(line) {
      const { pin, engagement } = line as Line
      if (pin !== undefined) {
        counts.pins++
        if ((pin.topics?.length ?? 0) > 0) counts.withTopics++
        for (const topic of pin.topics ?? []) topics.add(topic)
        if (pin.creatorId !== undefined) {
          counts.withCreator++
          creators.add(pin.creatorId)
        }
      }
      if (engagement === undefined) return
      const { userId, action = '', boardId, sessionId } = engagement
      counts.engagements++
      if (userId !== undefined) users.add(userId)
      actions.set(action, (actions.get(action) ?? 0) + 1)
      if (boardId !== undefined) counts.withBoard++
      if (sessionId !== undefined) counts.withSession++
      if (action.startsWith('follow')) counts.follows++
    },
    profile: () => ({ ...counts, topics: topics.size, creators: creators.size, users: users.size, actions }),
  }
}
