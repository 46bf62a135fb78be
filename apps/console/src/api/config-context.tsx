import { createContext, useContext, useMemo, type ReactNode } from 'react'
import { loadConfig, writtenConfig, type ConsoleConfig } from './config.ts'
import { useResource, type Resource } from './use-resource.ts'

const none: Resource<ConsoleConfig> = { value: null, failure: null, isLoading: true, reload: () => undefined }
const ConfigContext = createContext<Resource<ConsoleConfig>>(none)

/** What the console server says about itself. */
export function useConfig(): Resource<ConsoleConfig> {
  return useContext(ConfigContext)
}

/** Reads the configuration from the page, or loads it once, for all views. */
export function ConfigProvider({ children }: { readonly children: ReactNode }) {
  const written = useMemo(writtenConfig, [])
  const loaded = useResource(written === null ? 'config' : null, loadConfig)
  const config = useMemo(
    () => (written === null ? loaded : { ...none, value: written, isLoading: false }),
    [written, loaded],
  )
  return <ConfigContext value={config}>{children}</ConfigContext>
}
