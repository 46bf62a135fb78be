import { useEffect, useState } from 'react'
import { readStored, writeStored } from '../api/browser.ts'
import { IconButton } from '../ui/button.tsx'
import { Icon } from '../ui/icon.tsx'

type Theme = 'light' | 'dark'

/** Switches between light and dark. What the system prefers holds until the person chooses. */
export function ThemeButton() {
  const [theme, setTheme] = useState<Theme>(() => (document.documentElement.dataset['theme'] as Theme) ?? 'light')
  const other = theme === 'light' ? 'dark' : 'light'
  useEffect(() => {
    document.documentElement.dataset['theme'] = theme
  }, [theme])
  return (
    <IconButton
      label={`Use ${other} colours`}
      onClick={() => {
        writeStored('local', 'freshet.theme', other)
        setTheme(other)
      }}
    >
      <Icon name={theme === 'light' ? 'moon' : 'sun'} />
    </IconButton>
  )
}

/** Sets the theme before the first drawing. */
export function applyTheme(): void {
  const chosen = readStored('local', 'freshet.theme')
  const isDark = chosen === null ? matchMedia('(prefers-color-scheme: dark)').matches : chosen === 'dark'
  document.documentElement.dataset['theme'] = isDark ? 'dark' : 'light'
}
