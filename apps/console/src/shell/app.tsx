import { Route, Switch } from 'wouter'
import { ConfigProvider } from '../api/config-context.tsx'
import { FeedPage } from '../feed/page.tsx'
import { OperatorRoutes } from '../operate/routes.tsx'
import { ToastHost } from '../ui/toast.tsx'
import { Header } from './header.tsx'
import { Navigation } from './navigation.tsx'
import './app.css'

/** The whole page: header, navigation, and the view that the path names. */
export function App() {
  return (
    <ConfigProvider>
      <ToastHost>
        <a className="skip-link" href="#main">
          Skip to content
        </a>
        <Header />
        <Navigation />
        <main id="main" className="main" tabIndex={-1}>
          <Switch>
            <Route path="/operate/*?">
              <OperatorRoutes />
            </Route>
            <Route>
              <FeedPage />
            </Route>
          </Switch>
        </main>
      </ToastHost>
    </ConfigProvider>
  )
}
