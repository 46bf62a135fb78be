import type { Act } from '../engagement.ts'

/** What lasts between a user and something until it is withdrawn, in the fixed order of the wire. New ones are added at the end only. */
export const relationKinds = [
  'follow-board',
  'follow-creator',
  'follow-topic',
  'block-board',
  'block-creator',
  'block-topic',
  'hide-pin',
  'report-pin',
] as const
export type RelationKind = (typeof relationKinds)[number]

/** A last-writer-wins register. A withdrawn one is kept as well: what it withdraws may arrive after it. */
export interface Relation {
  readonly kind: RelationKind
  readonly id: string
  /** Event time of the last change. */
  readonly atMs: number
  /** false: withdrawn. */
  readonly stands: boolean
}

/** All registers of a user by `relationKey`. */
export type Relations = ReadonlyMap<string, Relation>

/** No relations. */
export const noRelations: Relations = new Map()

/** The key of a register: no kind holds a space, so it is unambiguous. */
export function relationKey(kind: RelationKind, id: string): string {
  return `${kind} ${id}`
}

/** Whether the user follows, blocks, hid or reported this, as far as known. */
export function hasRelation(relations: Relations, kind: RelationKind, id: string): boolean {
  return relations.get(relationKey(kind, id))?.stands === true
}

/** What the user follows, blocks, hid or reported, newest last. */
export function relationIds(relations: Relations, kind: RelationKind): readonly string[] {
  const ids: string[] = []
  for (const relation of relations.values()) if (relation.kind === kind && relation.stands) ids.push(relation.id)
  return ids
}

/** What an engagement changes about relations; null: nothing. */
export function relationOf({ action, subject, occurredAtMs }: Act): Relation | null {
  if (subject.kind === 'pin') {
    if (action === 'hide' || action === 'unhide') {
      return { kind: 'hide-pin', id: subject.pinId, atMs: occurredAtMs, stands: action === 'hide' }
    }
    if (action === 'report' || action === 'unreport') {
      return { kind: 'report-pin', id: subject.pinId, atMs: occurredAtMs, stands: action === 'report' }
    }
    return null
  }
  const id =
    subject.kind === 'board' ? subject.boardId : subject.kind === 'creator' ? subject.creatorId : subject.topicId
  if (action === 'follow' || action === 'unfollow') {
    return { kind: `follow-${subject.kind}`, id, atMs: occurredAtMs, stands: action === 'follow' }
  }
  if (action === 'block' || action === 'unblock') {
    return { kind: `block-${subject.kind}`, id, atMs: occurredAtMs, stands: action === 'block' }
  }
  return null
}

/**
 * Applies one change. The later event time wins; at the same time the relation stands (a hide is not lost to a tie), so
 * the order of delivery does not matter. Above `maxPerKind` registers of one kind the oldest go, withdrawn ones
 * first; only there does the order of delivery matter, since what was dropped cannot come back.
 */
export function foldRelation(relations: Relations, change: Relation, maxPerKind: number): Relations {
  const key = relationKey(change.kind, change.id)
  const before = relations.get(key)
  const wins =
    before === undefined ||
    change.atMs > before.atMs ||
    (change.atMs === before.atMs && change.stands && !before.stands)
  const kept = [...relations.values()].filter(
    (relation) => !(wins && relation.kind === change.kind && relation.id === change.id),
  )
  if (wins) kept.push(change)
  kept.sort(byTime)
  const ofKind = kept.filter((relation) => relation.kind === change.kind)
  const surplus = ofKind.length - maxPerKind
  if (surplus > 0) {
    const going = new Set(
      [...ofKind].sort((a, b) => Number(a.stands) - Number(b.stands) || byTime(a, b)).slice(0, surplus),
    )
    return mapOf(kept.filter((relation) => !going.has(relation)))
  }
  return mapOf(kept)
}

/** Registers by key, in their order. */
export function mapOf(relations: readonly Relation[]): Relations {
  return new Map(relations.map((relation) => [relationKey(relation.kind, relation.id), relation]))
}

function byTime(a: Relation, b: Relation): number {
  return a.atMs - b.atMs || (relationKey(a.kind, a.id) < relationKey(b.kind, b.id) ? -1 : 1)
}
