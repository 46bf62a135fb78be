import { callJson } from './http.ts'

/** A part of a picture, as shares of its sides from 0 to 1. */
export interface Box {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** The embedding of a part of a picture. */
export async function embedCrop(pinId: string, box: Box, signal: AbortSignal): Promise<readonly number[]> {
  const { embedding } = await callJson<{ embedding: readonly number[] }>('/api/console/crop', {
    ...{ body: { pinId, box }, signal },
  })
  return embedding
}

/** The pins that fit some words, best first. */
export async function findByWords(
  words: string,
  locale: string,
  limit: number,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const query = new URLSearchParams({ q: words, locale, limit: String(limit) })
  const { pinIds } = await callJson<{ pinIds: readonly string[] }>(`/api/console/words?${query}`, { signal })
  return pinIds
}

/** Titles of pins in a language, by pin. */
export async function loadTitles(pinIds: readonly string[], locale: string): Promise<Readonly<Record<string, string>>> {
  const query = new URLSearchParams({ locale, pins: pinIds.join(',') })
  const { titles } = await callJson<{ titles: Record<string, string> }>(`/api/console/titles?${query}`)
  return titles
}

/** Names of topics in a language, by topic. */
export async function loadTopics(ids: readonly string[], locale: string): Promise<Readonly<Record<string, string>>> {
  const query = new URLSearchParams({ locale, topics: ids.join(',') })
  const { topics } = await callJson<{ topics: Record<string, string> }>(`/api/console/titles?${query}`)
  return topics
}

/** Waits until a user's features reflect a token, at most some seconds. Whether they do. */
export async function awaitFeatures(userId: string, token: string): Promise<boolean> {
  const query = new URLSearchParams({ userId, token })
  const { reflected } = await callJson<{ reflected: boolean }>(`/api/console/freshness?${query}`, { timeoutMs: 4_000 })
  return reflected
}

/** How to order a served page again. */
export interface Tuning {
  /** Factor on each head's part of the utility; 1: as served. */
  readonly weights: Readonly<Record<string, number>>
  /** Factor on the diversity's strength; 1: as served. */
  readonly diversity: number
  /** Factor on the exploration; 1: as served. */
  readonly exploration: number
}

/** A pin of a page that was ordered again. */
export interface Moved {
  readonly pinId: string
  readonly from: number
  readonly to: number
  readonly utility: number
}

/** Orders a served page again from its record. */
export async function reorderFeed(feedId: string, tuning: Tuning, signal: AbortSignal): Promise<readonly Moved[]> {
  const { items } = await callJson<{ items: readonly Moved[] }>('/api/console/reorder', {
    ...{ body: { feedId, ...tuning }, signal },
  })
  return items
}
