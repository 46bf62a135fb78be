import { createDraw, weighted, type Line } from './draws.ts'

const hours = 10
const clicksPerHour = 4_000
const articlesPerHour = 24
const sections = 8
const hourMs = 3_600_000
const startMs = Date.UTC(2017, 9, 2)

interface Article {
  readonly id: number
  readonly publishedMs: number
  readonly section: number
  readonly appeal: number
  readonly halfLifeMs: number
}

/**
 * News within the hour: articles live for hours, some draw many readers, sessions are of two or three clicks by users of
 * whom most are new. Half of the clicks go to what everybody reads now, a third to what goes with the last article. A
 * mark stands at every full hour.
 */
export function* newsLines(): Generator<Line> {
  const dice = createDraw(23)
  const { draw, unit, normal } = dice
  const articles: Article[] = []
  for (let id = 0; id < (hours + 12) * articlesPerHour; id++) {
    articles.push({
      id,
      publishedMs: startMs + ((id - 12 * articlesPerHour) / articlesPerHour) * hourMs,
      section: draw(sections),
      appeal: Math.exp(1.6 * normal()),
      halfLifeMs: hourMs * (0.5 + 3 * unit()),
    })
  }
  const attention = ({ publishedMs, appeal, halfLifeMs }: Article, atMs: number): number => {
    const age = atMs - publishedMs
    return age < 0 ? 0 : appeal * Math.min(1, (age + 120_000) / 1_200_000) * 2 ** (-age / halfLifeMs)
  }
  let live: Article[] = []
  let weights: number[] = []
  const next = (previous: Article | undefined): Article => {
    const kind = unit()
    const wanted = live.map((article, at) => {
      if (article === previous) return 0
      const weight = weights[at]!
      if (previous === undefined || kind < 0.5) return weight
      if (kind > 0.9) return Math.sqrt(weight)
      // What goes with an article: of its section, and by a fixed taste of its readers.
      const kin = article.section === previous.section ? 1 : 0.05
      return weight * kin * ((article.id * 31 + previous.id * 17) % 5 === 0 ? 6 : 0.3)
    })
    return live[weighted(wanted, dice)]!
  }
  const clicks: { atMs: number; user: number; session: number; step: number }[] = []
  for (let session = 0; clicks.length < hours * clicksPerHour; session++) {
    const length = 2 + (unit() < 0.45 ? 1 : 0) + (unit() < 0.12 ? 3 : 0)
    const user = unit() < 0.7 ? 1_000_000 + session : draw(1_500)
    let atMs = startMs + unit() * hours * hourMs
    for (let step = 0; step < length; step++, atMs += 15_000 + unit() * 150_000)
      clicks.push({ atMs, user, session, step })
  }
  clicks.sort((a, b) => a.atMs - b.atMs || a.session - b.session)
  const lasts = new Map<number, Article>()
  let nextMark = startMs
  let refreshedMs = -Infinity
  for (const [at, { atMs, user, session, step }] of clicks.entries()) {
    for (; atMs >= nextMark; nextMark += hourMs) yield { mark: new Date(nextMark).toISOString() }
    if (atMs - refreshedMs > 60_000) {
      live = articles.filter((article) => attention(article, atMs) > 1e-3)
      weights = live.map((article) => attention(article, atMs))
      refreshedMs = atMs
    }
    const article = next(lasts.get(session))
    const occurredAt = new Date(Math.floor(atMs)).toISOString()
    const who = { userId: `u${user}`, sessionId: `s${session}` }
    if (atMs > startMs + (hours / 3) * hourMs && step > 0)
      yield { question: { at: occurredAt, ...who, target: `a${article.id}` } }
    yield { engagement: { eventId: `e${at}`, ...who, action: 'click', pinId: `a${article.id}`, occurredAt } }
    lasts.set(session, article)
  }
}
