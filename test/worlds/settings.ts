/** How large a world is, how long it lasts and how its people behave. Probabilities are in [0, 1]; times are in virtual time. */
export interface WorldSettings {
  readonly seed: number
  readonly users: number
  /** Pins that exist before the first visit. */
  readonly pins: number
  readonly newPinsPerDay: number
  readonly creators: number
  readonly topics: number
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
  days: 7,
  driftDay: 4,
  driftShare: 0.5,
  visitsPerDay: 2.5,
  maxPagesPerVisit: 3,
  pageSize: 25,
  startMs: Date.UTC(2026, 0, 5),
}

export const dayMs = 86_400_000
