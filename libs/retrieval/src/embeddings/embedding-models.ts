import type { SectionReader, SectionWriter } from '@freshet/columns/snapshot'

/** The model that made an embedding, as the embedding's message names it. */
export interface EmbeddingModel {
  /** Only vectors of one space can be compared. */
  readonly space: string
  /** Version of the model; empty: the message does not name it. */
  readonly version: string
  /** When the model published it, milliseconds since the epoch. */
  readonly atMs: number
}

/** Remembers which models made the embeddings that were folded: of each space the version published last. */
export interface EmbeddingModels {
  note(model: EmbeddingModel): void
  /** Ordered by space. */
  current(): readonly EmbeddingModel[]
  save(writer: SectionWriter): void
  load(reader: SectionReader): void
}

/** Spaces kept at most; the one published longest ago goes first. */
const maxSpaces = 4

/** Remembers no model yet. */
export function createEmbeddingModels(): EmbeddingModels {
  const bySpace = new Map<string, EmbeddingModel>()

  function note(model: EmbeddingModel): void {
    const known = bySpace.get(model.space)
    if (known !== undefined && known.atMs > model.atMs) return
    bySpace.set(model.space, model)
    if (bySpace.size <= maxSpaces) return
    const oldest = [...bySpace.values()].reduce((a, b) => (b.atMs < a.atMs ? b : a))
    bySpace.delete(oldest.space)
  }

  return {
    note,
    current: () => [...bySpace.values()].sort((a, b) => (a.space < b.space ? -1 : 1)),
    save: (writer) => writer.json('models', [...bySpace.values()]),
    load(reader) {
      bySpace.clear()
      // Snapshots written before versions were kept do not have the section.
      if (reader.has('models')) for (const model of reader.json('models') as EmbeddingModel[]) note(model)
    },
  }
}
