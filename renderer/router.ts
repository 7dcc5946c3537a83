import { createRouter, createWebHashHistory, type RouteRecordRaw } from 'vue-router'

/** The five places of the rail; each route belongs to one. */
export type Place = 'cohorts' | 'runs' | 'patients' | 'backbones' | 'workstation'

declare module 'vue-router' {
  interface RouteMeta {
    place: Place
    /** Pictures are read here: dark unless the user chose otherwise. */
    readsImages?: boolean
    /** The view fills the window and scrolls inside itself. */
    isFull?: boolean
  }
}

const routes: RouteRecordRaw[] = [
  { path: '/', name: 'first-start', component: () => import('./views/FirstStartView.vue'), meta: { place: 'cohorts' } },
  { path: '/cohorts', name: 'cohorts', component: () => import('./views/CohortListView.vue'), meta: { place: 'cohorts' } },
  { path: '/cohorts/:cohortId(\\d+)', name: 'cohort', component: () => import('./views/CohortView.vue'), meta: { place: 'cohorts' } },
  { path: '/import', name: 'import', component: () => import('./views/ImportWizardView.vue'), meta: { place: 'cohorts', isFull: true } },
  { path: '/cohorts/:cohortId(\\d+)/import', name: 'import-cohort', component: () => import('./views/ImportReportView.vue'), meta: { place: 'cohorts' } },
  { path: '/cohorts/:cohortId(\\d+)/fingerprint', name: 'fingerprint', component: () => import('./views/FingerprintView.vue'), meta: { place: 'cohorts' } },
  { path: '/cohorts/:cohortId(\\d+)/text-in-images', name: 'text-review', component: () => import('./views/TextReviewView.vue'), meta: { place: 'cohorts', readsImages: true } },
  { path: '/cohorts/:cohortId(\\d+)/alarms', name: 'alarms', component: () => import('./views/AlarmsView.vue'), meta: { place: 'cohorts' } },
  { path: '/runs', name: 'runs', component: () => import('./views/RunListView.vue'), meta: { place: 'runs' } },
  { path: '/cohorts/:cohortId(\\d+)/runs/new', name: 'run-new', component: () => import('./views/RunSetupView.vue'), meta: { place: 'runs' } },
  { path: '/runs/:runId(\\d+)', name: 'run', component: () => import('./views/RunView.vue'), meta: { place: 'runs' } },
  { path: '/runs/:runId(\\d+)/results', name: 'results', component: () => import('./views/ResultsView.vue'), meta: { place: 'runs' } },
  { path: '/patients', name: 'patients', component: () => import('./views/PatientListView.vue'), meta: { place: 'patients', isFull: true } },
  { path: '/patients/:studyId(\\d+)', name: 'patient', component: () => import('./views/PatientView.vue'), meta: { place: 'patients', readsImages: true, isFull: true } },
  { path: '/backbones', name: 'backbones', component: () => import('./views/BackbonesView.vue'), meta: { place: 'backbones' } },
  { path: '/workstation', name: 'workstation', component: () => import('./views/WorkstationView.vue'), meta: { place: 'workstation' } },
  { path: '/:rest(.*)*', redirect: { name: 'cohorts' } },
]

// Hash history: under the app protocol every address is the same file.
export const router = createRouter({ history: createWebHashHistory(), routes })

/** The number in a route parameter; routes only match digits. */
export function numberParam(value: string | string[] | undefined): number {
  return Number(Array.isArray(value) ? value[0] : value)
}
