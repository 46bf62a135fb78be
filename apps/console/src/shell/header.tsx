import { useState, type ReactNode } from 'react'
import { Link } from 'wouter'
import { useConfig } from '../api/config-context.tsx'
import { IconButton } from '../ui/button.tsx'
import { Icon } from '../ui/icon.tsx'
import { Credits } from './credits.tsx'
import { ThemeButton } from './theme.tsx'
import './header.css'

/** The bar at the top: the name, what a page puts there, credits and the theme. */
export function Header({ children }: { readonly children?: ReactNode }) {
  const attributions = useConfig().value?.attributions ?? []
  const [isOpen, setIsOpen] = useState(false)
  return (
    <header className="header">
      <Link href="/" className="brand" aria-label="Freshet, home">
        <img src="/favicon.svg" alt="" width="32" height="32" />
        <span>Freshet</span>
      </Link>
      <div className="header-content">{children}</div>
      {attributions.length > 0 && (
        <IconButton
          className="credits-button"
          label="Whose pictures these are"
          onClick={() => {
            setIsOpen(true)
          }}
        >
          <Icon name="heart" />
        </IconButton>
      )}
      <ThemeButton />
      {isOpen && (
        <Credits
          attributions={attributions}
          onClose={() => {
            setIsOpen(false)
          }}
        />
      )}
    </header>
  )
}
