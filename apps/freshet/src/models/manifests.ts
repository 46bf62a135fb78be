import type { ArtefactStore } from '@freshet/contracts/ports/artefact-store'
import { artefactName, decodeArtefact } from '@freshet/ranking/artefact/bytes'
import type { ModelManifest } from '@freshet/ranking/artefact/manifest'
import type { ModelRegistry } from '@freshet/ranking/registry/registry'

/** Manifests by surface and version (`SURFACE/VERSION`). */
export type Manifests = ReadonlyMap<string, ModelManifest>

/** The manifests of the models of the registries. Models whose artefact is missing or cannot be read are left out. */
export async function readManifests(
  registries: ReadonlyMap<string, ModelRegistry>,
  store: Pick<ArtefactStore, 'get'>,
): Promise<Manifests> {
  const found = new Map<string, ModelManifest>()
  for (const [surface, registry] of registries)
    for (const { version } of registry.models()) {
      const name = artefactName(surface, version)
      try {
        found.set(`${surface}/${version}`, decodeArtefact(await store.get(name), name).manifest)
      } catch {
        // `models` lists what the registry says; the ranker reports artefacts that it cannot use.
      }
    }
  return found
}
