import { useEffect, useRef } from 'react'
import { Link, useLocation } from 'wouter'
import { Icon, type IconName } from '../ui/icon.tsx'
import './navigation.css'

/** The operator's views, in the order of the navigation. */
const operatorViews: readonly { readonly path: string; readonly name: string; readonly icon: IconName }[] = [
  { path: '/operate/pipeline', name: 'Pipeline', icon: 'pipeline' },
  { path: '/operate/sources', name: 'Sources', icon: 'sources' },
  { path: '/operate/models', name: 'Models', icon: 'models' },
  { path: '/operate/experiments', name: 'Experiments', icon: 'experiments' },
  { path: '/operate/users', name: 'Users', icon: 'users' },
  { path: '/operate/pins', name: 'Pins', icon: 'pins' },
  { path: '/operate/import', name: 'Import', icon: 'import' },
  { path: '/operate/system', name: 'System', icon: 'system' },
]

/** The main navigation: a rail at the left, on phones a bar at the bottom. */
export function Navigation() {
  const [path] = useLocation()
  const isOperating = path.startsWith('/operate')
  const ref = useRef<HTMLElement>(null)
  // On phones the bar holds more than the screen.
  useEffect(() => {
    ref.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' })
  }, [path])
  return (
    <nav ref={ref} className="navigation" aria-label="Main">
      <Link href="/" className="navigation-item" aria-current={isOperating ? undefined : 'page'}>
        <Icon name="home" />
        <span>Feed</span>
      </Link>
      <div className="navigation-group" role="group" aria-label="Operate">
        {operatorViews.map(({ path: to, name, icon }) => (
          <Link key={to} href={to} className="navigation-item" aria-current={path.startsWith(to) ? 'page' : undefined}>
            <Icon name={icon} />
            <span>{name}</span>
          </Link>
        ))}
      </div>
    </nav>
  )
}
