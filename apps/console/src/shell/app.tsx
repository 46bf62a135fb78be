import { Route, Switch } from 'wouter'
import { ConfigProvider } from '../api/config-context.tsx'
import { HomeProvider } from '../feed/home-context.tsx'
import { PersonMenu } from '../feed/person/person-menu.tsx'
import { PersonProvider } from '../feed/person/person-context.tsx'
import { FeedRoutes } from '../feed/routes.tsx'
import { SearchBox } from '../feed/search/search-box.tsx'
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
        <PersonProvider>
          <HomeProvider>
            <a className="skip-link" href="#main">
              Skip to content
            </a>
            <Header>
              <SearchBox />
              <PersonMenu />
            </Header>
            <Navigation />
            <main id="main" className="main" tabIndex={-1}>
              <Switch>
                <Route path="/operate/*?">
                  <OperatorRoutes />
                </Route>
                <Route>
                  <FeedRoutes />
                </Route>
              </Switch>
            </main>
          </HomeProvider>
        </PersonProvider>
      </ToastHost>
    </ConfigProvider>
  )
}
