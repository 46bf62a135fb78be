import { subjectId, type Act } from '../engagement.ts'
import { hash53 } from '../hash.ts'
import { relationKinds, type Relation, type RelationKind } from './relation-kinds.ts'
import {
  findOlder,
  isLasting,
  mergeOlder,
  noOlder,
  registerAt,
  standsInOlder,
  withOlder,
  withoutOlder,
  type OlderRelations,
  type Register,
} from './older-relations.ts'

/**
 * All registers of a user: the last changes of each kind by `relationKey`, oldest first, and for the kinds that ask never to
 * see something also the older ones, by hash. Which are kept depends only on event times, never on the order of delivery.
 */
export interface Relations {
  readonly newest: ReadonlyMap<string, Relation>
  readonly older: readonly OlderRelations[]
}

/** Caps of relations, of each kind. */
export interface RelationLimits {
  /** Registers kept by id. */
  readonly maxRelationsPerKind: number
  /** Registers kept by hash beyond those, of the kinds that ask never to see something. */
  readonly maxOlderRelations: number
}

/** No relations. */
export const noRelations: Relations = { newest: new Map(), older: [] }

/** The registers of a kind kept by hash; null: none. */
export function olderOf(relations: Relations, kind: RelationKind): OlderRelations | null {
  return relations.older.find((of) => of.kind === kind) ?? null
}

/** The key of a register. It is unambiguous because no kind contains a space. */
function relationKey(kind: RelationKind, id: string): string {
  return `${kind} ${id}`
}

/** Whether the user follows, blocks, hid or reported this subject, as far as known. */
export function hasRelation(relations: Relations, kind: RelationKind, id: string): boolean {
  const newest = relations.newest.get(relationKey(kind, id))
  return newest === undefined ? standsInOlder(olderOf(relations, kind), id) : newest.stands
}

/** The ids of subjects that the user follows, blocks, hid or reported, newest last: only the last changes, because older ones have no ids. */
export function relationIds(relations: Relations, kind: RelationKind): readonly string[] {
  const ids: string[] = []
  for (const relation of relations.newest.values()) if (relation.kind === kind && relation.stands) ids.push(relation.id)
  return ids
}

/** The relation that an engagement changes; null: none. */
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
  if (action === 'block' || action === 'unblock') {
    return { kind: `block-${subject.kind}`, id: subjectId(subject), atMs: occurredAtMs, stands: action === 'block' }
  }
  if (subject.kind !== 'word' && (action === 'follow' || action === 'unfollow')) {
    return { kind: `follow-${subject.kind}`, id: subjectId(subject), atMs: occurredAtMs, stands: action === 'follow' }
  }
  return null
}

/** Whether one change overrides another: the later by event time wins; at equal times the one in effect wins, so that a tie does not lose a hide. */
function isLater(change: Register, before: Register): boolean {
  return change.atMs > before.atMs || (change.atMs === before.atMs && change.stands && !before.stands)
}

/**
 * Applies changes. The later by event time wins, so the order of delivery does not matter. It does not matter at the caps
 * either: of each kind exactly the registers that changed last are kept, including withdrawn ones.
 */
export function foldRelations(relations: Relations, changes: readonly Relation[], limits: RelationLimits): Relations {
  if (changes.length === 0) return relations
  const newest = new Map(relations.newest)
  const older = new Map(relations.older.map((of) => [of.kind, of]))
  for (const [kind, ofKind] of Map.groupBy(changes, (change) => change.kind)) {
    const known = older.get(kind)
    const moved = new Set<number>()
    for (const change of ofKind) {
      const key = relationKey(kind, change.id)
      const hash = known === undefined || newest.has(key) ? null : hash53(change.id)
      const before = newest.get(key) ?? (known === undefined || hash === null ? null : findOlder(known, hash))
      if (before !== null && !isLater(change, before)) continue
      newest.set(key, change)
      if (before !== null && hash !== null) moved.add(hash)
    }
    const outgoing = oldestBeyond(newest, kind, limits.maxRelationsPerKind)
    for (const { id } of outgoing) newest.delete(relationKey(kind, id))
    if (isLasting(kind) && (outgoing.length > 0 || moved.size > 0)) {
      older.set(kind, withOlder(known ?? noOlder(kind), moved, outgoing, limits.maxOlderRelations))
    }
  }
  return {
    newest: mapOf([...newest.values()].sort(byTime)),
    older: relationKinds.flatMap((kind) => {
      const of = older.get(kind)
      return of === undefined || of.hashes.length === 0 ? [] : [of]
    }),
  }
}

/**
 * The registers of both; the later by event time wins. Registers that one of them knows by hash only stay known by hash, even if
 * they are among the newest of both together.
 */
export function mergeRelations(a: Relations, b: Relations, limits: RelationLimits): Relations {
  if (b.newest.size === 0 && b.older.length === 0) return a
  const newest = new Map(a.newest)
  const older = new Map(a.older.map((of) => [of.kind, of]))
  for (const ofB of b.older) {
    const known = updatedByHash(newest, ofB)
    const left = withoutOlder(ofB, known)
    older.set(ofB.kind, mergeOlder(older.get(ofB.kind) ?? noOlder(ofB.kind), left, limits.maxOlderRelations, isLater))
  }
  const both = { newest: mapOf([...newest.values()].sort(byTime)), older: [...older.values()] }
  return foldRelations(both, [...b.newest.values()], limits)
}

/** Changes the registers known by id that `older` knows by hash, where `older` has the later change. Returns the hashes of those that are known by id. */
function updatedByHash(newest: Map<string, Relation>, older: OlderRelations): ReadonlySet<number> {
  const byHash = new Map(
    [...newest].flatMap(([key, of]) => (of.kind === older.kind ? [[hash53(of.id), key] as const] : [])),
  )
  const known = new Set<number>()
  older.hashes.forEach((hash, row) => {
    const key = byHash.get(hash)
    const before = key === undefined ? undefined : newest.get(key)
    if (key === undefined || before === undefined) return
    known.add(hash)
    const change = registerAt(older, row)
    if (isLater(change, before)) newest.set(key, { ...before, ...change })
  })
  return known
}

/** Indexes registers by key, in their order. */
export function mapOf(relations: readonly Relation[]): ReadonlyMap<string, Relation> {
  return new Map(relations.map((relation) => [relationKey(relation.kind, relation.id), relation]))
}

function oldestBeyond(newest: ReadonlyMap<string, Relation>, kind: RelationKind, most: number): readonly Relation[] {
  let count = 0
  for (const relation of newest.values()) if (relation.kind === kind) count++
  if (count <= most) return []
  const ofKind = [...newest.values()].filter((relation) => relation.kind === kind)
  return ofKind.sort(byTime).slice(0, count - most)
}

function byTime(a: Relation, b: Relation): number {
  return a.atMs - b.atMs || relationKinds.indexOf(a.kind) - relationKinds.indexOf(b.kind) || hash53(a.id) - hash53(b.id)
}
