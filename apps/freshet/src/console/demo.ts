/** A rectangle of a picture as shares of its sides, 0 to 1. */
export interface PictureBox {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** A user of the demo. The past of simulated users is part of the sample, and the page says so. */
export interface DemoUser {
  readonly userId: string
  readonly name: string
  /** Topics. */
  readonly likes: readonly string[]
  /** BCP 47. */
  readonly locale: string
}

/** Who drew pictures of the demo, as their licences want it shown. */
export interface Attribution {
  readonly style: string
  readonly name: string
  readonly authors: string
  readonly license: string
  readonly url: string
}

/** What the console knows of the catalogue that ships. */
export interface Demo {
  readonly users: readonly DemoUser[]
  readonly locales: readonly string[]
  readonly attributions: readonly Attribution[]
  /** Pictures and words; null: the sample has none. */
  readonly pictures: DemoPictures | null
}

/** The pictures of the demo and their names. */
export interface DemoPictures {
  /** The picture as SVG; null: there is no such pin. */
  svg(pinId: string): string | null
  /** The embedding of a part of a picture, made like those of whole pictures. */
  embed(pinId: string, box: PictureBox): Promise<Float32Array>
  title(pinId: string, locale: string): string | null
  /** Pin ids, best first. */
  search(words: string, locale: string, limit: number): readonly string[]
  topicName(topic: string, locale: string): string
}
