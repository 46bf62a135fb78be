/** How large a world is, how long it lasts and how its people behave. Probabilities are in [0, 1]; times are in virtual time. */
export interface WorldSettings {
  readonly seed: number
  readonly users: number
  /** Pins that exist before the first visit. */
  readonly pins: number
  readonly newPinsPerDay: number
  readonly creators: number
  readonly topics: number
  /** How many topics a pin has. People like it as much as the mean of their tastes for them. */
  readonly topicsPerPin: number
  /** Standard deviation of the quality of creators, in units of log-odds. */
  readonly creatorQuality: number
  /** How many topics a person likes. */
  readonly likedTopics: { readonly least: number; readonly most: number }
  /** Scale of people's taste in the style of creators; 0: style does not matter. */
  readonly styleTaste: number
  readonly days: number
  /** The day, from 0, on which `driftShare` of the users change their tastes. */
  readonly driftDay: number
  readonly driftShare: number
  readonly visitsPerDay: number
  /** Most pages that a user asks for in one visit. */
  readonly maxPagesPerVisit: number
  readonly pageSize: number
  /** When the world begins: milliseconds since 1970. */
  readonly startMs: number
}

/** 300 people, 2,500 pins and 7 days, as the issue that asked for a world has them. */
export const defaultWorld: WorldSettings = {
  seed: 1,
  users: 300,
  pins: 2_500,
  newPinsPerDay: 60,
  creators: 250,
  topics: 12,
  topicsPerPin: 1,
  creatorQuality: 0.1,
  likedTopics: { least: 3, most: 5 },
  styleTaste: 0.07,
  days: 7,
  driftDay: 4,
  driftShare: 0.5,
  visitsPerDay: 2.5,
  maxPagesPerVisit: 3,
  pageSize: 25,
  startMs: Date.UTC(2026, 0, 5),
}

/** Worlds of another kind, so that nothing is tuned to one world alone. */
export const variants: Readonly<Record<string, Partial<WorldSettings>>> = {
  shipped: {},
  /** Pins of three topics, people who like two, creators of very different quality, and no style. */
  tangled: {
    topics: 20,
    topicsPerPin: 3,
    likedTopics: { least: 2, most: 2 },
    creatorQuality: 0.5,
    styleTaste: 0,
  },
}

export const dayMs = 86_400_000
