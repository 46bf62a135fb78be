import { createRoot } from 'react-dom/client'
import { App } from './shell/app.tsx'
import { Crashed } from './shell/crashed.tsx'
import { applyTheme } from './shell/theme.tsx'
import './styles/tokens.css'
import './styles/base.css'

applyTheme()
const element = document.getElementById('page')!
createRoot(element, {
  onUncaughtError(error) {
    console.error(error)
    const fallback = document.createElement('div')
    element.replaceWith(fallback)
    createRoot(fallback).render(<Crashed error={error} />)
  },
}).render(<App />)
