import { createContext, useContext, type ReactNode } from 'react'
import { loadConfig, type ConsoleConfig } from './config.ts'
import { useResource, type Resource } from './use-resource.ts'

const none: Resource<ConsoleConfig> = { value: null, failure: null, isLoading: true, reload: () => undefined }
const ConfigContext = createContext<Resource<ConsoleConfig>>(none)

/** What the console server says about itself. */
export function useConfig(): Resource<ConsoleConfig> {
  return useContext(ConfigContext)
}

/** Loads the configuration once for all views. */
export function ConfigProvider({ children }: { readonly children: ReactNode }) {
  return <ConfigContext value={useResource('config', loadConfig)}>{children}</ConfigContext>
}
